-- asset: marts.mart_champions
-- description: Every forecast of the default model is of the model that serves its session. A model
-- whose file was lost or altered is stood in for by the one before it; look at the check
-- `reigning_models_are_loadable`.
-- severity: warn
-- blocking: false
with champions as (
    select
        champions.subject,
        champions."window",
        champions.serves_after,
        champions.serves_until,
        champions.model_sha256
    from marts.mart_champions as champions
    where champions.kind = 'forecaster'
),

forecasts as (
    select
        forecasts.ticker,
        forecasts.date,
        forecasts."window",
        forecasts.model_sha256
    from intermediate.int_default_forecasts as forecasts
)

select
    forecasts.ticker,
    forecasts."window",
    min(forecasts.date) as first_date,
    count(*) as forecasts,
    forecasts.model_sha256,
    champions.model_sha256 as serving_sha256
from forecasts
left join champions
    on champions.subject = forecasts.ticker
    and champions."window" = forecasts."window"
    and forecasts.date > champions.serves_after
    and forecasts.date <= champions.serves_until
where champions.model_sha256 is distinct from forecasts.model_sha256
group by
    forecasts.ticker,
    forecasts."window",
    forecasts.model_sha256,
    champions.model_sha256

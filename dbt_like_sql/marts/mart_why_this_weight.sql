-- description: Why a policy holds what it holds, one row a policy, ticker and session: the weight,
-- the decision it rests on, and what stood behind that decision: the policy's model, the forecast
-- and its model, the row of features, the bar as the vendor sent it, and the vendor's answer. A
-- ticker that no decision has named yet has none. Where the past was restated, `lineage_versions`
-- counts what is recorded in `monitoring.lineage`; shown is what agrees with the present weights.
-- grain: policy, ticker, date
-- stored_as: view
with weights as (
    select
        weights.policy,
        weights.date,
        weights.ticker,
        weights."window",
        weights.is_decision,
        weights.target_weight,
        weights.held_weight,
        weights.model_sha256
    from staging.stg_weights as weights
),

lineage as (
    select
        lineage.lineage_sha256,
        lineage.recorded_at,
        lineage.policy,
        lineage.ticker,
        lineage.date,
        lineage.target_weight,
        lineage.policy_sha256,
        lineage.forecast_model,
        lineage.prediction,
        lineage.forecast_sha256,
        lineage.trained_as_of,
        lineage.features_sha256,
        lineage.bar_row_sha256,
        lineage.bar_ingested_at,
        lineage.response_sha256
    from staging.stg_lineage as lineage
),

predictions as (
    select
        predictions.ticker,
        predictions.date,
        predictions.model,
        predictions.prediction,
        predictions.model_sha256
    from staging.stg_predictions as predictions
),

standings as (
    select
        standings.kind,
        standings.subject,
        standings."window",
        standings.model_sha256,
        standings.model_version,
        standings.is_champion,
        standings.is_unproven
    from intermediate.int_model_standings as standings
),

held as (
    select
        weights.*,
        max(weights.date) filter (where weights.is_decision) over (
            partition by weights.policy, weights.ticker
            order by weights.date
            rows between unbounded preceding and current row
        ) as decided_on
    from weights
),

evidence as (
    select
        lineage.*,
        weights."window",
        count(*) over (
            partition by lineage.policy, lineage.ticker, lineage.date
        ) as lineage_versions
    from weights
    inner join lineage
        on lineage.policy = weights.policy
        and lineage.ticker = weights.ticker
        and lineage.date = weights.date
    left join predictions
        on predictions.ticker = lineage.ticker
        and predictions.date = lineage.date
        and predictions.model = lineage.forecast_model
        and predictions.model_sha256 = lineage.forecast_sha256
        and predictions.prediction = lineage.prediction
    where weights.is_decision
    qualify row_number() over (
        partition by lineage.policy, lineage.ticker, lineage.date
        order by
            lineage.target_weight = weights.target_weight desc,
            lineage.policy_sha256 is not distinct from weights.model_sha256 desc,
            predictions.model_sha256 is not distinct from lineage.forecast_sha256 desc,
            lineage.recorded_at desc,
            lineage.lineage_sha256
    ) = 1
)

select
    held.policy,
    held.ticker,
    held.date,
    held.is_decision,
    held.target_weight,
    held.held_weight,
    case when held.is_decision then held.target_weight - held.held_weight else 0 end
        as order_weight, -- Share of equity to buy at the next open, to sell where negative; 0
    -- between decisions.
    held.decided_on, -- Session at whose close the target was decided; null before any decision.
    held.model_sha256 as policy_sha256, -- SHA-256 of the model that decided; null for a rule.
    policy_standings.model_version as policy_version, -- Its count among the policy's models; null
    -- for a rule and before it was judged.
    coalesce(policy_standings.is_champion, false) as is_policy_champion, -- Whether that model had
    -- earned its place.
    coalesce(policy_standings.is_unproven, false) as is_policy_unproven, -- Whether it decided
    -- although it had not beaten its yardstick.
    evidence.forecast_model, -- Name of the forecaster that the policy saw; null without a forecast.
    evidence.prediction, -- Forecast return made at the deciding close, fraction.
    evidence.forecast_sha256, -- SHA-256 of the model that forecast.
    forecast_standings.model_version as forecast_version, -- Its count among the ticker's models;
    -- null before it was judged.
    coalesce(forecast_standings.is_champion, false) as is_forecast_champion, -- Whether it had
    -- earned its place.
    coalesce(forecast_standings.is_unproven, false) as is_forecast_unproven, -- Whether it served
    -- although it had not beaten the historical mean.
    evidence.trained_as_of, -- Last session that it had seen.
    evidence.features_sha256, -- SHA-256 of the deciding session's row of features: of ticker,
    -- space, ISO date and the columns as little-endian doubles, nulls as the quiet NaN.
    evidence.bar_row_sha256, -- row_sha256 in raw_bars of that session's bar; null for a filled bar.
    evidence.bar_ingested_at, -- UTC moment at which that vintage came in.
    evidence.response_sha256, -- SHA-256 of the vendor's answer that held it.
    evidence.lineage_sha256, -- Entry in the ledger of lineage; null where none is recorded.
    evidence.recorded_at, -- UTC moment of that entry.
    coalesce(evidence.lineage_versions, 0) as lineage_versions -- Entries of that decision: more
    -- than one where the past was restated.
from held
left join evidence
    on evidence.policy = held.policy
    and evidence.ticker = held.ticker
    and evidence.date = held.decided_on
left join standings as policy_standings
    on policy_standings.kind = 'policy'
    and policy_standings.subject = held.policy
    and policy_standings."window" = evidence."window"
    and policy_standings.model_sha256 = held.model_sha256
left join standings as forecast_standings
    on forecast_standings.kind = 'forecaster'
    and forecast_standings.subject = held.ticker
    and forecast_standings."window" = evidence."window"
    and forecast_standings.model_sha256 = evidence.forecast_sha256

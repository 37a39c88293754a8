-- asset: staging.stg_promotions
-- description: A model that was put in the place of another serves only sessions of its window that
-- it has not seen; nothing but a promotion or a rollback makes a model serve inside a window.
-- severity: error
-- blocking: false
with promotions as (
    select
        promotions.decision_id,
        promotions.subject,
        promotions."window",
        promotions.as_of,
        promotions.decision,
        promotions.serves_after,
        promotions.model_sha256
    from staging.stg_promotions as promotions
),

challengers as (
    select
        challengers.model_sha256,
        max(challengers.trained_as_of) as trained_as_of
    from forecasting.challengers as challengers
    group by challengers.model_sha256
)

select
    promotions.decision_id,
    promotions.subject,
    promotions.decision,
    promotions.serves_after,
    promotions.as_of,
    challengers.trained_as_of
from promotions
left join challengers
    on challengers.model_sha256 = promotions.model_sha256
where
    (promotions.decision in ('promoted', 'rolled_back')) <> (promotions.serves_after is not null)
    or promotions.serves_after < challengers.trained_as_of
    or promotions.serves_after >= promotions."window" + interval 6 months

-- description: What the newest decision says of each model that serves, or could, in a window:
-- whether it earned its place. Models that were only tried have none.
-- grain: kind, subject, window, model_sha256
with promotions as (
    select
        promotions.decision_id,
        promotions.recorded_at,
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.as_of,
        promotions.decision,
        promotions.is_champion,
        promotions.cause,
        promotions.actor,
        promotions.model_version,
        promotions.model_sha256,
        promotions.reason
    from staging.stg_promotions as promotions
    where promotions.decision in ('promoted', 'rolled_back', 'succeeded', 'unproven')
)

select
    promotions.kind,
    promotions.subject,
    promotions."window",
    promotions.model_sha256,
    promotions.model_version,
    promotions.decision_id,
    promotions.decision,
    promotions.as_of,
    promotions.recorded_at,
    promotions.cause,
    promotions.actor,
    promotions.reason,
    promotions.is_champion,
    not promotions.is_champion as is_unproven -- Whether it serves without having beaten its
    -- yardstick: by protocol, or promoted over somebody who had not either.
from promotions
qualify row_number() over (
    partition by
        promotions.kind,
        promotions.subject,
        promotions."window",
        promotions.model_sha256
    order by promotions.recorded_at desc, promotions.decision_id
) = 1

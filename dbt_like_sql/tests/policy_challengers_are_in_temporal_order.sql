-- asset: staging.stg_policy_challengers
-- description: A policy that was trained inside a window learns before it validates, has seen nothing
-- after its validation, and nothing later than the last session that was stored when it was asked
-- for.
-- severity: error
-- blocking: false
select
    challengers.policy,
    challengers."window",
    challengers.role,
    challengers.model_name,
    challengers.train_start,
    challengers.train_end,
    challengers.valid_start,
    challengers.valid_end,
    challengers.trained_as_of,
    challengers.requested_as_of
from staging.stg_policy_challengers as challengers
where
    not (
        challengers.train_start <= challengers.train_end
        and challengers.train_end < challengers.valid_start
        and challengers.valid_start <= challengers.valid_end
        and challengers.valid_end = challengers.trained_as_of
        and challengers.trained_as_of <= challengers.requested_as_of
    )

-- asset: staging.stg_policies
-- description: A trained policy learns before it validates and validates before the window in which
-- it decides.
-- severity: error
-- blocking: true
select
    policies."window",
    policies.policy,
    policies.seed,
    policies.train_start,
    policies.train_end,
    policies.valid_start,
    policies.valid_end
from staging.stg_policies as policies
where
    policies.status = 'trained'
    and not coalesce(
        policies.train_start <= policies.train_end
        and policies.train_end < policies.valid_start
        and policies.valid_start <= policies.valid_end
        and policies.valid_end < policies."window",
        false
    )

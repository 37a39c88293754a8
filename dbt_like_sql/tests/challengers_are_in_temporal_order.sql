-- asset: staging.stg_challengers
-- description: A challenger learns before it validates, and has seen nothing later than the last
-- session that was stored when it was asked for.
-- severity: error
-- blocking: false
select
    challengers.ticker,
    challengers."window",
    challengers.model_name,
    challengers.train_end,
    challengers.valid_start,
    challengers.valid_end,
    challengers.trained_as_of,
    challengers.requested_as_of
from staging.stg_challengers as challengers
where
    not (
        challengers.train_start <= challengers.train_end
        and challengers.train_end < challengers.valid_start
        and challengers.valid_start <= challengers.valid_end
        and challengers.valid_end <= challengers.trained_as_of
        and challengers.trained_as_of <= challengers.requested_as_of
    )

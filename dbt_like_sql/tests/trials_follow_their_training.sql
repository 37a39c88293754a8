-- asset: staging.stg_trials
-- description: Every trial is of a session after the last one that its model had seen, so that
-- nothing is judged on what it knew.
-- severity: error
-- blocking: false
select
    trials.ticker,
    trials.date,
    trials.role,
    trials.model_sha256,
    trials.trained_as_of
from staging.stg_trials as trials
where trials.trained_as_of >= trials.date

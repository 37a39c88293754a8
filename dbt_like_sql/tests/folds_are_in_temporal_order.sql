-- asset: staging.stg_folds
-- description: A trained fold learns before it validates and validates before it is tested, and no
-- test session lies outside its window.
-- severity: error
-- blocking: true
select
    folds.ticker,
    folds."window",
    folds.model,
    folds.train_end,
    folds.valid_start,
    folds.valid_end,
    folds.test_start,
    folds.test_end
from staging.stg_folds as folds
where
    folds.status = 'trained'
    and not (
        folds.train_start <= folds.train_end
        and folds.train_end < folds.valid_start
        and folds.valid_start <= folds.valid_end
        and folds.valid_end < folds."window"
        and folds.test_start >= folds."window"
        and folds.test_end >= folds.test_start
        and folds.test_end < folds."window" + interval 6 months
    )

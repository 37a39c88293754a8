-- description: Every feature with its definition, as declared and stored in the comments of
-- `features.features`, its distribution over all tickers, and how often the default model
-- (xgboost) relied on it.
-- grain: feature
with comments as (
    select
        comments.column_name as feature,
        comments.column_index as position,
        regexp_extract(
            comments.comment,
            '^(.*) \[(.*); ([a-z_]+); lookback ([0-9]+) sessions(; level)?\]$',
            ['formula', 'source', 'group', 'lookback', 'level'],
            's'
        ) as parts
    from duckdb_columns() as comments
    where
        comments.database_name = current_database()
        and comments.schema_name = 'features'
        and comments.table_name = 'features'
        and comments.column_name not in ('ticker', 'date')
),

statistics as (
    select
        statistics.ticker,
        statistics.feature,
        statistics.row_count,
        statistics.null_count,
        statistics.minimum,
        statistics.maximum,
        statistics.mean
    from marts.mart_feature_statistics as statistics
),

importance as (
    select
        importance.feature,
        importance.mean_abs_shap,
        importance.rank
    from staging.stg_feature_importance as importance
    where importance.model = 'xgboost'
),

folds as (
    select
        folds.ticker,
        folds."window"
    from staging.stg_folds as folds
    where
        folds.model = 'xgboost'
        and folds.status = 'trained'
),

bars as (
    select bars.is_simulated
    from staging.stg_bars as bars
),

pooled as (
    select
        statistics.feature,
        sum(statistics.row_count)::bigint as row_count,
        sum(statistics.null_count)::bigint as null_count,
        min(statistics.minimum) as minimum,
        max(statistics.maximum) as maximum,
        sum(statistics.mean * (statistics.row_count - statistics.null_count))
            / nullif(sum(statistics.row_count - statistics.null_count), 0) as mean
    from statistics
    group by statistics.feature
),

importance_counts as (
    select
        importance.feature,
        count(*) as important_folds,
        avg(importance.rank) as mean_rank,
        avg(importance.mean_abs_shap) as mean_abs_shap
    from importance
    group by importance.feature
),

fold_counts as (
    select count(*) as trained_folds
    from folds
),

origins as (
    select bool_or(bars.is_simulated) as is_simulated
    from bars
)

select
    comments.feature, -- Name of the feature: a column of `features.features`.
    comments.parts['group'] as feature_group, -- Family of the feature.
    try_cast(comments.parts['lookback'] as bigint) as lookback_sessions, -- Sessions needed for the
    -- first value.
    comments.parts['level'] <> '' as is_level, -- In price or share units; stored for people, never
    -- fed to a model by default.
    comments.parts['formula'] as formula, -- Definition, with parameters.
    comments.parts['source'] as formula_source, -- Paper, textbook or library function the formula
    -- is taken from.
    comments.position, -- Place of the column in the table.
    coalesce(pooled.row_count, 0) as row_count, -- Rows of all tickers.
    pooled.null_count / nullif(pooled.row_count, 0) as null_share, -- Share of rows without a value;
    -- 1 where its macro series is not configured.
    pooled.minimum, -- Smallest value over all tickers, in the feature's unit.
    pooled.maximum, -- Largest value over all tickers, in the feature's unit.
    pooled.mean, -- Mean over all rows, in the feature's unit.
    coalesce(importance_counts.important_folds, 0) as important_folds, -- Folds in which it was
    -- among the stored top features.
    fold_counts.trained_folds, -- Folds of the default model.
    importance_counts.mean_rank, -- Mean rank in those folds, 1 is the strongest; null where never
    -- stored.
    importance_counts.mean_abs_shap, -- Mean absolute SHAP value in those folds, return units.
    origins.is_simulated -- Whether any bar behind the figures comes from the simulated market.
from comments
cross join fold_counts
cross join origins
left join pooled
    on pooled.feature = comments.feature
left join importance_counts
    on importance_counts.feature = comments.feature
order by comments.position

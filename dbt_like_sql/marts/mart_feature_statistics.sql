-- description: Distribution of every feature for every ticker over its whole history.
-- grain: ticker, feature
with feature_values as (
    select
        feature_values.ticker,
        feature_values.feature,
        feature_values.feature_value
    from staging.stg_features unpivot include nulls (
        feature_value for feature in (columns(* exclude (ticker, date)))
    ) as feature_values
),

bars as (
    select
        bars.ticker,
        bars.is_simulated
    from staging.stg_bars as bars
),

distributions as (
    select
        feature_values.ticker,
        feature_values.feature,
        count(*) as row_count,
        count(feature_values.feature_value) as value_count,
        min(feature_values.feature_value) as minimum,
        max(feature_values.feature_value) as maximum,
        avg(feature_values.feature_value) as mean,
        stddev_samp(feature_values.feature_value) as standard_deviation
    from feature_values
    group by feature_values.ticker, feature_values.feature
),

origins as (
    select
        bars.ticker,
        bool_or(bars.is_simulated) as is_simulated
    from bars
    group by bars.ticker
)

select
    distributions.ticker,
    distributions.feature, -- Name of the feature.
    distributions.row_count, -- Sessions of the ticker.
    distributions.row_count - distributions.value_count as null_count, -- Sessions without a value;
    -- the first lookback - 1 are expected.
    distributions.minimum, -- Smallest value, in the feature's unit.
    distributions.maximum, -- Largest value, in the feature's unit.
    distributions.mean, -- Mean value, in the feature's unit.
    distributions.standard_deviation, -- Standard deviation (ddof 1), in the feature's unit.
    origins.is_simulated -- Whether any of the ticker's bars comes from the simulated market.
from distributions
left join origins
    on origins.ticker = distributions.ticker
order by distributions.ticker, distributions.feature

-- description: What is there, what is missing and what was rejected, for each ticker and each
-- macro series, the four that features read included when they are absent. Expected sessions are
-- all days on which any ticker has a bar, from the subject's own first day on.
-- grain: subject_kind, subject
with raw_bars as (
    select
        raw_bars.ticker,
        raw_bars.is_simulated
    from staging.stg_raw_bars as raw_bars
),

bars as (
    select
        bars.ticker,
        bars.is_simulated
    from staging.stg_bars as bars
),

ticker_sessions as (
    select
        ticker_sessions.ticker,
        ticker_sessions.date,
        ticker_sessions.is_present,
        ticker_sessions.is_filled,
        ticker_sessions.is_anomalous,
        ticker_sessions.is_missing
    from intermediate.int_ticker_sessions as ticker_sessions
),

quarantine as (
    select
        quarantine.ticker,
        quarantine.reason,
        quarantine.is_rejected
    from staging.stg_quarantine as quarantine
),

macro as (
    select
        macro.series,
        macro.date,
        macro.is_simulated
    from staging.stg_macro as macro
),

feature_statistics as (
    select
        feature_statistics.ticker,
        feature_statistics.feature,
        feature_statistics.row_count,
        feature_statistics.null_count
    from marts.mart_feature_statistics as feature_statistics
),

feature_catalog as (
    select
        feature_catalog.feature,
        feature_catalog.lookback_sessions
    from marts.mart_feature_catalog as feature_catalog
),

sessions as (
    select distinct ticker_sessions.date
    from ticker_sessions
),

tickers as (
    select
        raw_bars.ticker,
        bool_or(raw_bars.is_simulated) as is_simulated
    from raw_bars
    group by raw_bars.ticker
),

origins as (
    select
        bars.ticker,
        bool_or(bars.is_simulated) as is_simulated
    from bars
    group by bars.ticker
),

session_counts as (
    select
        ticker_sessions.ticker,
        min(ticker_sessions.date) as first_date,
        max(ticker_sessions.date) filter (where not ticker_sessions.is_missing) as last_date,
        count(*) as expected_sessions,
        count(*) filter (where ticker_sessions.is_present) as present_sessions,
        count(*) filter (where ticker_sessions.is_filled) as filled_sessions,
        count(*) filter (where ticker_sessions.is_anomalous) as anomalous_sessions,
        count(*) filter (where ticker_sessions.is_missing) as missing_sessions
    from ticker_sessions
    group by ticker_sessions.ticker
),

reason_counts as (
    select
        quarantine.ticker,
        quarantine.reason,
        count(*) as row_count,
        count(*) filter (where quarantine.is_rejected) as rejected_rows
    from quarantine
    group by quarantine.ticker, quarantine.reason
),

quarantine_counts as (
    select
        reason_counts.ticker,
        sum(reason_counts.rejected_rows)::bigint as rejected_rows,
        sum(reason_counts.row_count - reason_counts.rejected_rows)::bigint as repaired_values,
        string_agg(
            reason_counts.reason || ' ' || reason_counts.row_count,
            ', '
            order by reason_counts.row_count desc, reason_counts.reason
        ) as quarantine_reasons
    from reason_counts
    group by reason_counts.ticker
),

feature_nulls as (
    select
        feature_statistics.ticker,
        sum(feature_statistics.null_count) / sum(feature_statistics.row_count)
            as feature_null_share,
        sum(
            greatest(
                feature_statistics.null_count
                - least(feature_catalog.lookback_sessions - 1, feature_statistics.row_count),
                0
            )
        ) / sum(feature_statistics.row_count) as unexpected_feature_null_share
    from feature_statistics
    inner join feature_catalog
        on feature_catalog.feature = feature_statistics.feature
    group by feature_statistics.ticker
),

series_listings as (
    select
        macro.series,
        min(macro.date) as first_date,
        max(macro.date) as last_date,
        bool_or(macro.is_simulated) as is_simulated
    from macro
    group by macro.series
),

series_names as (
    select expected_series.series
    from (values ('VIX'), ('TNX'), ('DXY'), ('GOLD')) as expected_series(series)

    union

    select series_listings.series
    from series_listings
),

series_counts as (
    select
        series_listings.series,
        count(*) as expected_sessions,
        count(macro.date) as present_sessions
    from series_listings
    inner join sessions
        on sessions.date >= series_listings.first_date
    left join macro
        on macro.series = series_listings.series
        and macro.date = sessions.date
    group by series_listings.series
),

subjects as (
    select
        'ticker' as subject_kind,
        tickers.ticker as subject,
        session_counts.first_date,
        session_counts.last_date,
        coalesce(session_counts.expected_sessions, 0) as expected_sessions,
        coalesce(session_counts.present_sessions, 0) as present_sessions,
        coalesce(session_counts.filled_sessions, 0) as filled_sessions,
        coalesce(session_counts.anomalous_sessions, 0) as anomalous_sessions,
        coalesce(session_counts.missing_sessions, 0) as missing_sessions,
        coalesce(quarantine_counts.rejected_rows, 0) as rejected_rows,
        coalesce(quarantine_counts.repaired_values, 0) as repaired_values,
        quarantine_counts.quarantine_reasons,
        feature_nulls.feature_null_share,
        feature_nulls.unexpected_feature_null_share,
        session_counts.ticker is null as is_absent,
        coalesce(origins.is_simulated, tickers.is_simulated) as is_simulated
    from tickers
    left join origins
        on origins.ticker = tickers.ticker
    left join session_counts
        on session_counts.ticker = tickers.ticker
    left join quarantine_counts
        on quarantine_counts.ticker = tickers.ticker
    left join feature_nulls
        on feature_nulls.ticker = tickers.ticker

    union all

    select
        'macro_series' as subject_kind,
        series_names.series as subject,
        series_listings.first_date,
        series_listings.last_date,
        coalesce(series_counts.expected_sessions, 0) as expected_sessions,
        coalesce(series_counts.present_sessions, 0) as present_sessions,
        0 as filled_sessions,
        0 as anomalous_sessions,
        coalesce(series_counts.expected_sessions - series_counts.present_sessions, 0)
            as missing_sessions,
        0 as rejected_rows,
        0 as repaired_values,
        null::varchar as quarantine_reasons,
        null::double as feature_null_share,
        null::double as unexpected_feature_null_share,
        series_listings.series is null as is_absent,
        series_listings.is_simulated
    from series_names
    left join series_listings
        on series_listings.series = series_names.series
    left join series_counts
        on series_counts.series = series_names.series
),

ages as (
    select
        subjects.subject_kind,
        subjects.subject,
        count(sessions.date) as sessions_behind
    from subjects
    left join sessions
        on sessions.date > subjects.last_date
    group by subjects.subject_kind, subjects.subject
)

select
    subjects.subject_kind, -- ticker or macro_series.
    subjects.subject, -- Ticker symbol or name of the series.
    subjects.first_date, -- First day with a stored value; null where absent.
    subjects.last_date, -- Last day with a stored value; null where absent.
    subjects.expected_sessions, -- Sessions from the first day to the newest session of any ticker.
    subjects.present_sessions, -- Of these, sessions with a delivered value.
    subjects.filled_sessions, -- Of these, sessions carried forward.
    subjects.missing_sessions, -- Of these, sessions without any value.
    subjects.missing_sessions / nullif(subjects.expected_sessions, 0) as missing_share, -- Missing
    -- sessions / expected sessions.
    subjects.anomalous_sessions, -- Sessions whose move is flagged as anomalous.
    subjects.rejected_rows, -- Delivered rows that cleaning rejected.
    subjects.repaired_values, -- Delivered values that cleaning repaired.
    subjects.quarantine_reasons, -- Reasons in quarantine with their counts, most frequent first;
    -- null without any.
    subjects.feature_null_share, -- Share of the ticker's feature values that are null, lookbacks
    -- included; null for macro series.
    subjects.unexpected_feature_null_share, -- Share of its feature values that are null beyond the
    -- lookback.
    ages.sessions_behind, -- Sessions of any ticker after the last day; 0 is fresh.
    subjects.is_absent, -- Whether no value is stored at all.
    case
        when subjects.is_absent and subjects.subject_kind = 'ticker'
            then 'absent: no delivered row became a bar'
        when subjects.is_absent then 'absent: features that read it are null'
        when ages.sessions_behind > 0
            then 'ends ' || ages.sessions_behind || ' sessions before the newest'
        when subjects.missing_sessions > 0
            then subjects.missing_sessions || ' sessions missing'
        when subjects.filled_sessions > 0
            then subjects.filled_sessions || ' sessions filled'
        else 'complete'
    end as finding, -- The most serious finding in words.
    subjects.is_simulated -- Whether any value comes from the simulated market; null where absent.
from subjects
inner join ages
    on ages.subject_kind = subjects.subject_kind
    and ages.subject = subjects.subject
order by subjects.subject_kind desc, subjects.subject

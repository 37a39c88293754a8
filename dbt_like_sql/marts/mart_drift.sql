-- description: The newest verdict on every ticker and window: whether the model's own features and
-- forecasts still look like what it learned from, by thresholds that the ticker's own past sets.
-- The plain population stability index stands beside it with the customary lines at 0.1 and 0.2,
-- which half a year of an unchanged market often passes. Every feature and method is in
-- `monitoring.drift`.
-- grain: ticker, window
with summaries as (
    select
        summaries.ticker,
        summaries."window",
        summaries.as_of,
        summaries.status,
        summaries.reason,
        summaries.judged_by,
        summaries.sessions,
        summaries.inputs,
        summaries.drifted_inputs,
        summaries.share_drifted,
        summaries.smallest_p_value,
        summaries.share_psi_above_0_1,
        summaries.share_psi_above_0_2,
        summaries.strongest_feature,
        summaries.is_drifted,
        summaries.severity,
        summaries.model_sha256,
        summaries.report_path
    from staging.stg_drift_summary as summaries
),

drift as (
    select
        drift.ticker,
        drift."window",
        drift.as_of,
        drift.feature,
        drift.method,
        drift.score,
        drift.p_value,
        drift.is_drifted
    from staging.stg_drift as drift
    where drift.is_input
),

newest as (
    select
        summaries.*,
        row_number() over (
            partition by summaries.ticker
            order by summaries."window" desc, summaries.as_of desc
        ) = 1 as is_newest_window
    from summaries
    qualify row_number() over (
        partition by summaries.ticker, summaries."window"
        order by summaries.as_of desc
    ) = 1
),

inputs as (
    select drift.*
    from drift
    inner join newest
        on newest.ticker = drift.ticker
        and newest."window" = drift."window"
        and newest.as_of = drift.as_of
),

methods as (
    select
        inputs.ticker,
        inputs."window",
        inputs.method
    from inputs
    inner join newest
        on newest.ticker = inputs.ticker
        and newest."window" = inputs."window"
        and newest.strongest_feature = inputs.feature
        and newest.smallest_p_value = inputs.p_value
    qualify row_number() over (
        partition by inputs.ticker, inputs."window"
        order by inputs.method = 'ks' desc, inputs.method
    ) = 1
),

strongest as (
    select
        inputs.ticker,
        inputs."window",
        inputs.method,
        inputs.feature,
        inputs.p_value,
        inputs.is_drifted,
        printf('%s (p %.4f)', inputs.feature, inputs.p_value) as text
    from inputs
    inner join methods
        on methods.ticker = inputs.ticker
        and methods."window" = inputs."window"
        and methods.method = inputs.method
    where inputs.p_value is not null
    qualify row_number() over (
        partition by inputs.ticker, inputs."window"
        order by inputs.p_value, inputs.feature
    ) <= 5
),

top_features as (
    select
        strongest.ticker,
        strongest."window",
        max(strongest.method) as method,
        string_agg(strongest.text, ', ' order by strongest.p_value, strongest.feature)
            as top_features,
        string_agg(strongest.text, ', ' order by strongest.p_value, strongest.feature)
            filter (where strongest.is_drifted) as drifted_features
    from strongest
    group by strongest.ticker, strongest."window"
),

psi as (
    select
        inputs.ticker,
        inputs."window",
        avg(inputs.score) as mean_psi,
        max(inputs.score) as largest_psi,
        arg_max(inputs.feature, inputs.score) as largest_psi_feature
    from inputs
    where
        inputs.method = 'psi'
        and inputs.score is not null
    group by inputs.ticker, inputs."window"
)

select
    newest.ticker,
    newest."window",
    newest.as_of, -- Last session of the newest sample of the window.
    newest.is_newest_window, -- Whether it is the ticker's newest window.
    newest.status,
    newest.sessions,
    newest.is_drifted,
    newest.severity,
    newest.judged_by,
    newest.inputs,
    newest.drifted_inputs,
    newest.share_drifted,
    newest.smallest_p_value,
    top_features.method, -- Distance that gave the verdict; null where nothing was measured.
    top_features.top_features, -- The up to five inputs of the smallest p-values, smallest first;
    -- null where nothing was measured.
    psi.mean_psi, -- Mean population stability index of the inputs; null where none was measured.
    psi.largest_psi, -- Largest of them.
    psi.largest_psi_feature, -- Input that has it.
    newest.share_psi_above_0_1,
    newest.share_psi_above_0_2,
    newest.model_sha256,
    newest.report_path,
    case
        when newest.status <> 'measured' then coalesce(newest.reason, newest.status)
        when newest.is_drifted
            then printf(
                '%d of %d inputs drifted (%s)',
                newest.drifted_inputs,
                newest.inputs,
                newest.severity
            ) || coalesce(': ' || top_features.drifted_features, '')
        else printf('none of %d inputs drifted', newest.inputs)
    end as finding -- The verdict in words.
from newest
left join top_features
    on top_features.ticker = newest.ticker
    and top_features."window" = newest."window"
left join psi
    on psi.ticker = newest.ticker
    and psi."window" = newest."window"
order by newest.ticker, newest."window"

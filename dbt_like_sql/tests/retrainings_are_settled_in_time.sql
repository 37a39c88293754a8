-- asset: marts.mart_retrainings
-- description: No retraining is still under way that was asked for five sessions ago or earlier.
-- severity: warn
-- blocking: false
with retrainings as (
    select
        retrainings.event_id,
        retrainings.ticker,
        retrainings.as_of,
        retrainings.state
    from marts.mart_retrainings as retrainings
    where retrainings.is_unsettled
),

ticker_sessions as (
    select ticker_sessions.date
    from intermediate.int_ticker_sessions as ticker_sessions
),

sessions as (
    select distinct ticker_sessions.date
    from ticker_sessions
)

select
    retrainings.event_id,
    retrainings.ticker,
    retrainings.as_of,
    retrainings.state,
    count(*) as sessions_since
from retrainings
inner join sessions
    on sessions.date > retrainings.as_of
group by
    retrainings.event_id,
    retrainings.ticker,
    retrainings.as_of,
    retrainings.state
having count(*) >= 5

-- asset: staging.stg_retraining_events
-- description: No event starts that was not requested, none is both put off and carried out, and
-- what is settled says what came of it.
-- severity: error
-- blocking: false
with events as (
    select
        events.event_id,
        events.state,
        events.outcome
    from staging.stg_retraining_events as events
)

select
    events.event_id,
    string_agg(events.state, ', ' order by events.state) as states,
    string_agg(events.outcome, ', ' order by events.outcome) as outcomes
from events
group by events.event_id
having
    (bool_or(events.state = 'started') and not bool_or(events.state = 'requested'))
    or (bool_or(events.state = 'suppressed') and bool_or(events.state in ('started', 'finished')))
    or bool_or(events.state in ('finished', 'suppressed') and events.outcome is null)

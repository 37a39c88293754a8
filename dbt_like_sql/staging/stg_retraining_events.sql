-- description: The life of every reason to retrain, one row a state it reached; append-only.
-- grain: event_id, state
select
    retraining_events.event_id,
    retraining_events.state,
    retraining_events.recorded_at,
    retraining_events.ticker,
    retraining_events."window",
    retraining_events.as_of,
    retraining_events.cause,
    retraining_events."check",
    retraining_events.value,
    retraining_events.threshold,
    retraining_events.batch,
    retraining_events.run_id,
    retraining_events.outcome,
    retraining_events.reason
from monitoring.retraining_events as retraining_events

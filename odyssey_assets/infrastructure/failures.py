"""What a failed run says about itself, in one line for people."""

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from odyssey_assets.errors import OdysseyError


def failure_of(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return the first cause of a run's failure: of its first failed step, else of the run."""
    steps = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    for entry in steps:
        event = entry.get_dagster_event()
        error = event.step_failure_data.error
        if error is not None:
            return f"{event.step_key}: {message_of(error.cause or error)}"
    runs = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    messages = [entry.get_dagster_event().message or "" for entry in runs]
    return next((message for message in messages if message), "It was stopped without a word.")


def message_of(cause: SerializableErrorInfo) -> str:
    """Return what an error says; of one raised on purpose without its class."""
    prefix, _, message = cause.message.strip().partition(": ")
    is_on_purpose = prefix.startswith(f"{OdysseyError.__module__}.")
    return message if is_on_purpose else cause.message.strip()

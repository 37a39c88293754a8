"""What `odyssey promote` and `odyssey rollback` do: the jobs of that name, in this process.

Sees all domains at once, as `headless` does. The run is in the home's instance like any other, so
the UI shows it. Wording of options belongs to `cli`, what is refused to
`monitoring.promotion.rollback`.
"""

import getpass
from pathlib import Path

from odyssey_assets.definitions import build_defs
from odyssey_assets.errors import PromotionError
from odyssey_assets.infrastructure.driver import (
    close_interrupted_runs,
    open_instance,
    run_job,
)
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.run_lock import hold_run_lock
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.automation import OP_OF_JOB
from odyssey_assets.monitoring.promotion.champions import in_order


def hand_over(job: str, subject: str, to: int | None, home: Path | None) -> tuple[str, ...]:
    """Let another version of a subject serve, and return what happened, in sentences.

    Args:
        job: `promote` or `rollback`.
        subject: Ticker, or name of a policy.
        to: Number of the version; None leaves the choice to the job.
        home: The home; None for the one of the settings.

    Raises:
        OdysseyError: The home cannot be used, another run is at work, or the wish is refused.
    """
    settings = load_settings(home=home)
    place = home_of(settings)
    place.create()
    op = OP_OF_JOB[job]
    request = {"subject": subject, "to": to, "actor": getpass.getuser()}
    with hold_run_lock(place.run_lock):
        instance = open_instance(place)
        close_interrupted_runs(instance)
        outcome = run_job(
            build_defs(**dict(settings)),
            instance,
            job,
            {},
            lambda _: None,
            run_config={"ops": {op: {"config": request}}},
        )
        if not outcome.is_success:
            refusal = "; ".join(error.removeprefix(f"{op}: ") for error in outcome.errors)
            raise PromotionError(refusal or f"The run {outcome.run_id} of {job} failed.")
        rows = Warehouse(place, settings.warehouse).read(PROMOTIONS)
    row = in_order(rows[rows["subject"] == subject]).iloc[-1]
    return (
        f"{subject}: version {row['model_version']} ({row['model_name']}) serves sessions after "
        f"{row['serves_after']:%Y-%m-%d}. {row['reason']}",
        "Forecasts already made stay as they are; the next `odyssey run` forecasts with it and "
        "publishes the decision.",
    )

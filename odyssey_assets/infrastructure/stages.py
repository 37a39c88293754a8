"""The stages into which the steps of a run fall: an asset's computation, an SQL folder, checks."""

from collections.abc import Container, Sequence

SQL_FOLDERS = ("staging", "intermediate", "marts")
CHECKS = "checks"


def check_step(asset_path: Sequence[str], check_name: str) -> str:
    """Return the step in which a check that stands alone runs."""
    return f"{'__'.join(asset_path)}_{check_name}"


def stage_of(step: str, check_steps: Container[str]) -> str:
    """Return the stage that a step counts to.

    Args:
        step: Name of a step.
        check_steps: Steps that only check.
    """
    folder = step.split("__")[0]
    stage = CHECKS if step in check_steps else folder if folder in SQL_FOLDERS else step
    return stage.replace("__", ".")

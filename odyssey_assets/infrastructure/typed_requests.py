"""What people type into the configuration of a run: names that must be known, and a day.

Refused with what was found and what was expected, before anything is done. What is asked for
belongs to the asset that takes the request.
"""

from collections.abc import Collection, Sequence
from datetime import date

from odyssey_assets.errors import SettingsError


def known_names(option: str, asked: Collection[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the names that are asked for, in order, each once.

    Args:
        option: Name of the configuration's field.
        asked: What was typed.
        known: What there is to ask for.

    Raises:
        SettingsError: A name is not among those that are known.
    """
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise SettingsError(
            f"{option} names {unknown}; expected some of those of the settings: "
            f"{', '.join(known) or 'there are none'}."
        )
    return tuple(sorted(set(asked)))


def day_or_none(option: str, text: str | None) -> date | None:
    """Return the day that was typed; None where none was.

    Args:
        option: Name of the configuration's field.
        text: An ISO date.

    Raises:
        SettingsError: It is no date.
    """
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{option} is {text!r}, expected a day like 2024-08-30.") from error

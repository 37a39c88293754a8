"""Every error that Odyssey raises on purpose, and who must act on it.

A message names what was found, what was expected and what to do next. Errors of libraries are
wrapped at the seam where their cause is known (`raise ... from`), never caught wholesale.
"""


class OdysseyError(Exception):
    """Base of all errors that Odyssey raises on purpose."""


class SettingsError(OdysseyError):
    """A setting is missing, malformed or contradicts another: the person who set it acts."""


class SourceError(OdysseyError):
    """A vendor did not deliver usable data: whoever runs the platform checks file or network."""


class ContractError(OdysseyError):
    """A frame breaks the promise of its table: the author of the asset acts. Nothing was stored."""


class WarehouseError(OdysseyError):
    """The warehouse cannot be opened, locked, read or written: the operator of the host acts."""


class ModelError(OdysseyError):
    """A stored model is missing, altered or incompatible: retrain it, or find who changed it."""


class TrainingError(OdysseyError):
    """Models could not be fitted or recorded on this host: its operator acts. Nothing was lost."""


class SqlProjectError(OdysseyError):
    """A file of `dbt_like_sql/` cannot be parsed, ordered or run: the author of the SQL acts."""


class PolicyError(OdysseyError):
    """A policy cannot work out weights, or gave none that mean anything: its author acts."""


class ReportError(OdysseyError):
    """A report cannot be written: the operator of the host acts. The old reports are there."""


class PromotionError(OdysseyError):
    """A model cannot be put in the place of another: whoever asked for it acts. Nothing changed."""

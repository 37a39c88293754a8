"""The folder that holds all state: where each part lives, and what the home remembers.

After a full run the home remembers the universe it holds (source, folders, dates, tickers) in
`universe.json`, so that `odyssey ui` shows the same partitions without repeating the options.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.errors import SettingsError
from odyssey_assets.settings import Settings, build_settings

HELD_SOURCE = "filled_by"
HELD_RULES = "held_under"
UNIVERSE_FIELDS = (
    "source", "price_dir", "macro_dir", "start", "end", "tickers", "proxy", "macro_series",
    "simulated",
)  # fmt: skip
SHARED_BY_PORTFOLIOS: Mapping[str, Any] = {
    "portfolio": True, "costs": True, "seed": True, "start": True, "tickers": True, "proxy": True,
    "forecasting": {"horizon_sessions"},
}  # fmt: skip


@dataclass(frozen=True)
class Home:
    """Paths below one home folder."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The live DuckDB file; only the pipeline opens it."""
        return self.root / "warehouse" / "odyssey.duckdb"

    @property
    def published(self) -> Path:
        """The DuckDB file for people: complete, consistent, replaced as a whole."""
        return self.root / "published" / "odyssey.duckdb"

    @property
    def published_states(self) -> Path:
        """Folder of the last published states."""
        return self.root / "published" / "states"

    @property
    def models(self) -> Path:
        """Folder of signed models."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """Folder of files written for people."""
        return self.root / "reports"

    @property
    def tear_sheets(self) -> Path:
        """Folder of the strategies' reports."""
        return self.reports / "tear_sheets"

    @property
    def mlflow(self) -> Path:
        """Folder of the MLflow database and artifacts."""
        return self.root / "mlflow"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard logs, one below it a policy training."""
        return self.root / "tensorboard"

    @property
    def dagster(self) -> Path:
        """Folder of the Dagster instance (DAGSTER_HOME)."""
        return self.root / "dagster"

    @property
    def universe(self) -> Path:
        """File that remembers the universe of the last full run."""
        return self.root / "universe.json"

    @property
    def run_lock(self) -> Path:
        """Lock file held by a running `odyssey run`."""
        return self.root / "run.lock"

    def create(self) -> None:
        """Create all folders.

        Raises:
            SettingsError: The home cannot be created or written.
        """
        folders = (
            self.warehouse.parent, self.published_states, self.models,
            self.reports, self.mlflow, self.tensorboard, self.dagster,
        )  # fmt: skip
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"The home {self.root} cannot be created: {error}. Choose a folder you may write "
                "with --home or ODYSSEY_HOME."
            ) from error
        unwritable = [str(folder) for folder in folders if not os.access(folder, os.W_OK)]
        if unwritable:
            raise SettingsError(
                f"The home {self.root} cannot be written ({', '.join(unwritable)}). Change its "
                "owner or permissions, or choose another with --home or ODYSSEY_HOME."
            )


def home_of(settings: Settings) -> Home:
    """Return the home that the settings name, as an absolute path."""
    return Home(settings.home.expanduser().resolve())


def load_settings(**overrides: Any) -> Settings:
    """Build settings; what nobody names is filled in from what the home remembers.

    Memory is not used when a source other than the remembered one is named: folders and dates of
    one source mean nothing to another.

    Raises:
        SettingsError: A value is malformed, the memory of the home cannot be read, or nobody
            names the folder of the source `files`.
    """
    overrides = {name: value for name, value in overrides.items() if value is not None}
    named = build_settings(**overrides)
    remembered = _read_universe(home_of(named).universe)
    if "source" in named.model_fields_set and remembered.get("source") != named.source:
        remembered = {}
    filled = {
        name: value for name, value in remembered.items() if name not in named.model_fields_set
    }
    settings = build_settings(**{**filled, **overrides}) if filled else named
    if settings.source == "files" and settings.price_dir is None:
        raise SettingsError(
            "The source files needs price_dir, a folder with one CSV or Parquet file a ticker. "
            "Name it with --price-dir or ODYSSEY_PRICE_DIR."
        )
    return settings


def held_source(home: Home) -> str | None:
    """Return the source that fills the home: that of its last full run, if that run succeeded."""
    source = _read_memory(home.universe).get(HELD_SOURCE)
    return None if source is None else str(source)


def rules_of(settings: Settings) -> str:
    """Return the SHA-256 of every setting that portfolios of all windows must share."""
    return hash_mapping(settings.model_dump(mode="json", include=SHARED_BY_PORTFOLIOS))


def held_rules(home: Home) -> str | None:
    """Return the rules under which the home's portfolios were held by its last successful run."""
    rules = _read_memory(home.universe).get(HELD_RULES)
    return None if rules is None else str(rules)


def remember_universe(settings: Settings, *, is_filled: bool = False) -> bytes | None:
    """Write the universe of `settings` to its home, atomically.

    Args:
        settings: The universe.
        is_filled: Whether a full run of it has succeeded. Until then the home counts as filled
            only if it was so by the same source before.

    Returns:
        The memory that it replaced, for `restore_universe`; None if there was none.
    """
    home = home_of(settings)
    former = home.universe.read_bytes() if home.universe.exists() else None
    content = settings.model_dump(mode="json", include=set(UNIVERSE_FIELDS), exclude_none=True)
    for name in ("price_dir", "macro_dir"):
        if name in content:
            content[name] = str(Path(content[name]).expanduser().resolve())
    if is_filled or (former is not None and held_source(home) == settings.source):
        content[HELD_SOURCE] = settings.source
    rules = rules_of(settings) if is_filled else held_rules(home)
    if rules is not None:
        content[HELD_RULES] = rules
    _write_universe(home, json.dumps(content, indent=2).encode())
    return former


def restore_universe(home: Home, former: bytes | None) -> None:
    """Give the home back the memory that `remember_universe` replaced."""
    if former is None:
        home.universe.unlink(missing_ok=True)
    else:
        _write_universe(home, former)


def _write_universe(home: Home, content: bytes) -> None:
    temporary = home.universe.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(home.universe)


def _read_universe(path: Path) -> dict[str, Any]:
    memory = _read_memory(path)
    return {name: memory[name] for name in UNIVERSE_FIELDS if name in memory}


def _read_memory(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}. Delete it; the next `odyssey run` writes it anew."
        ) from error
    if not isinstance(content, dict):
        raise SettingsError(
            f"{path} holds {type(content).__name__}, expected an object of settings. Delete it; "
            "the next `odyssey run` writes it anew."
        )
    return content

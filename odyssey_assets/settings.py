"""Every number and choice that a person may tune, with its unit and default.

Order of precedence: arguments of a command, `ODYSSEY_*` variables, `odyssey.toml` in the working
directory, what the home remembers of its last full run (see `infrastructure.home`), the defaults
here. A nested setting is written `ODYSSEY_COSTS__COMMISSION_BPS=5`. Settings are frozen; code takes
the part it needs as an argument and never reads the environment itself.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.errors import SettingsError

SourceName = Literal["simulated", "files", "yfinance"]

DEFAULT_TICKERS = (
    "AAPL", "NVDA", "TSLA", "MSFT", "GOOGL", "AMZN", "META", "SPY",
    "QQQ", "EFA", "IEF", "HYG", "BIL", "INTC", "AMD",
)  # fmt: skip
DEFAULT_MACRO_SERIES = ("VIX", "TNX", "DXY", "GOLD")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CleaningSettings(_Section):
    """What `market_data.bars` accepts, fills and flags."""

    max_fill_sessions: int = Field(5, ge=0, description="sessions of a gap that are filled forward")
    anomaly_std: float = Field(
        5.0, gt=0, description="standard deviations of the ticker's own past"
    )
    anomaly_min_sessions: int = Field(
        252, ge=20, description="sessions before a move can be flagged"
    )
    stale_range_bps: float = Field(10.0, ge=0, description="usual daily range, bps of close")
    stale_lookback_sessions: int = Field(60, ge=5, description="sessions of the usual daily range")
    max_dividend_share: float = Field(0.5, gt=0, le=1, description="of the previous close")
    split_tolerance: float = Field(1e-4, gt=0, description="relative distance to a whole ratio")
    freshness_sessions: int = Field(3, ge=0, description="sessions the newest bar may lag")


class FeatureSettings(_Section):
    """How features are computed."""

    clip_std: float = Field(3.0, gt=0, description="clip of log returns, standard deviations")
    clip_min_sessions: int = Field(252, ge=20, description="sessions before the clip applies")
    macro_fill_sessions: int = Field(5, ge=0, description="sessions a macro value is carried on")


class LabelSettings(_Section):
    """Where the direction classes begin."""

    bullish_above_return: float = Field(0.01, description="5-session return, fraction")
    bearish_below_return: float = Field(-0.01, description="5-session return, fraction")


class XGBoostSettings(_Section):
    """Hyperparameters of the default model."""

    learning_rate: float = Field(0.01, gt=0, le=1)
    max_depth: int = Field(6, ge=1, le=16)
    max_rounds: int = Field(1000, ge=1)
    early_stopping_rounds: int = Field(50, ge=1)
    max_bin: int = Field(64, ge=2)
    selected_features: int = Field(30, ge=1, description="kept by training gain, inside each fold")
    selection_rounds: int = Field(20, ge=1, description="rounds of the fit that selects features")
    selection_depth: int = Field(3, ge=1, le=16, description="depth of the fit that selects")


class ForecastingSettings(_Section):
    """Walk-forward folds and models."""

    horizon_sessions: Literal[1, 5, 20, 60] = Field(5, description="sessions ahead")
    min_train_years: int = Field(3, ge=1, description="years before the validation half year")
    warmup_sessions: int = Field(252, ge=0, description="first sessions of a ticker never learned")
    min_valid_sessions: int = Field(60, ge=10, description="labelled sessions to validate on")
    embargo_sessions: int = Field(5, ge=0, description="sessions dropped besides the purged ones")
    interval_coverage: float = Field(0.9, gt=0, lt=1, description="of the conformal interval")
    importance_features: int = Field(20, ge=1, description="features stored a fold")
    models: tuple[str, ...] = ("xgboost", "historical_mean", "ridge")
    xgboost: XGBoostSettings = XGBoostSettings()

    @property
    def purge_sessions(self) -> int:
        """Sessions dropped before each boundary: the label horizon and the embargo."""
        return self.horizon_sessions + self.embargo_sessions


class CostSettings(_Section):
    """Trading costs, in basis points of traded value."""

    commission_bps: float = Field(10.0, ge=0)
    slippage_bps: float = Field(5.0, ge=0)

    @property
    def proportional(self) -> ProportionalCosts:
        """The costs as the scoring functions take them."""
        return ProportionalCosts(self.commission_bps, self.slippage_bps)


class WarehouseSettings(_Section):
    """Locks, copies and disk."""

    lock_timeout_s: float = Field(120.0, gt=0, description="seconds to wait for the lock")
    keep_published: int = Field(5, ge=1, description="published states kept")
    min_free_gb: float = Field(1.0, ge=0, description="gigabytes that must stay free on the disk")


class SimulatedSettings(_Section):
    """The embedded market."""

    seed: int = Field(42, ge=0)
    predictability: float = Field(0.05, ge=0, description="of next-day variance explained, root")
    break_start: date | None = Field(None, description="None: first day of the last window")
    break_tickers: tuple[str, ...] = ("INTC", "HYG")


class YFinanceSettings(_Section):
    """How politely Yahoo is asked."""

    attempts: int = Field(4, ge=1, description="tries a request")
    backoff_s: float = Field(2.0, ge=0, description="seconds before the second try; doubles")
    pause_s: float = Field(0.5, ge=0, description="seconds between requests")
    timeout_s: float = Field(30.0, gt=0, description="seconds a request may take")


class Settings(BaseSettings):
    """All settings of one Odyssey home. Build with `infrastructure.home.load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="ODYSSEY_",
        env_nested_delimiter="__",
        toml_file="odyssey.toml",
        frozen=True,
        extra="forbid",
    )

    home: Path = Field(Path("var"), description="folder that holds all state")
    source: SourceName = Field("simulated", description="where prices come from")
    price_dir: Path | None = Field(None, description="folder of price files (source `files`)")
    macro_dir: Path | None = Field(None, description="folder of macro files (source `files`)")
    start: date = Field(date(2010, 1, 1), description="first day asked for")
    end: date | None = Field(None, description="last day asked for; None: last completed session")
    tickers: Annotated[tuple[str, ...], NoDecode] = Field(DEFAULT_TICKERS, min_length=1)
    proxy: str = Field("SPY", description="ticker that stands for the market")
    macro_series: Annotated[tuple[str, ...], NoDecode] = DEFAULT_MACRO_SERIES
    seed: int = Field(42, ge=0, description="of every random choice outside the simulated market")
    workers: int | None = Field(
        None, ge=1, description="processes that fit models; None: all cores"
    )

    cleaning: CleaningSettings = CleaningSettings()
    features: FeatureSettings = FeatureSettings()
    labels: LabelSettings = LabelSettings()
    forecasting: ForecastingSettings = ForecastingSettings()
    costs: CostSettings = CostSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    simulated: SimulatedSettings = SimulatedSettings()
    yfinance: YFinanceSettings = YFinanceSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (signature is pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (signature is pydantic's)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then `odyssey.toml`."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @field_validator("tickers", "macro_series", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, (list, tuple)):
            return value
        cleaned = [str(name).strip().upper() for name in names if str(name).strip()]
        repeated = sorted({name for name in cleaned if cleaned.count(name) > 1})
        if repeated:
            raise ValueError(f"{', '.join(repeated)} named more than once")
        illegal = sorted(name for name in cleaned if not _is_ticker(name))
        if illegal:
            raise ValueError(f"{illegal} are no tickers: use letters, digits, '.', '-' and '^'")
        return tuple(cleaned)

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end} is not after start {self.start}")
        return self


def build_settings(**overrides: Any) -> Settings:
    """Build settings from `overrides`, the environment and `odyssey.toml`.

    Raises:
        SettingsError: A value is malformed or contradicts another (names each of them), or the
            environment or `odyssey.toml` cannot be read.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']} "
            f"(found {item['input']!r})"
            if item["loc"]
            else item["msg"]
            for item in error.errors()
        )
        raise SettingsError(
            f"Settings are not usable: {problems}. Fix the option, the ODYSSEY_* variable or "
            "odyssey.toml."
        ) from error
    except (ValueError, OSError) as error:  # of the environment or the file as a whole
        raise SettingsError(
            f"Settings cannot be read: {error}. Expected JSON or single values in ODYSSEY_* "
            "variables and TOML in odyssey.toml."
        ) from error


def _is_ticker(name: str) -> bool:
    return all(character.isalnum() or character in ".-^=" for character in name)

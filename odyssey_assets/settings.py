"""Every number and choice that a person may tune, with its unit and default.

Order of precedence: arguments of a command, `ODYSSEY_*` variables, `odyssey.toml` in the working
directory, what the home remembers of its last full run (see `infrastructure.home`), the defaults
here. A nested setting is written `ODYSSEY_COSTS__COMMISSION_BPS=5`. Settings are frozen; code takes
the part it needs as an argument and never reads the environment itself.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from odyssey_assets.errors import SettingsError
from odyssey_assets.settings_sections import (
    AlertSettings,
    BacktestingSettings,
    CleaningSettings,
    CostSettings,
    DecaySettings,
    DriftSettings,
    FeatureSettings,
    ForecastingSettings,
    LabelSettings,
    PortfolioSettings,
    PromotionSettings,
    RetrainingSettings,
    ScheduleSettings,
    SimulatedSettings,
    WarehouseSettings,
    YFinanceSettings,
)

SourceName = Literal["simulated", "files", "yfinance"]

DEFAULT_TICKERS = (
    "AAPL", "NVDA", "TSLA", "MSFT", "GOOGL", "AMZN", "META", "SPY",
    "QQQ", "EFA", "IEF", "HYG", "BIL", "INTC", "AMD",
)  # fmt: skip
DEFAULT_MACRO_SERIES = ("VIX", "TNX", "DXY", "GOLD")


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

    reports_port: int = Field(3001, ge=0, le=65535, description="where `odyssey ui` serves reports")

    cleaning: CleaningSettings = CleaningSettings()
    features: FeatureSettings = FeatureSettings()
    labels: LabelSettings = LabelSettings()
    forecasting: ForecastingSettings = ForecastingSettings()
    costs: CostSettings = CostSettings()
    portfolio: PortfolioSettings = PortfolioSettings()
    backtesting: BacktestingSettings = BacktestingSettings()
    drift: DriftSettings = DriftSettings()
    decay: DecaySettings = DecaySettings()
    retraining: RetrainingSettings = RetrainingSettings()
    promotion: PromotionSettings = PromotionSettings()
    alerts: AlertSettings = AlertSettings()
    schedules: ScheduleSettings = ScheduleSettings()
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

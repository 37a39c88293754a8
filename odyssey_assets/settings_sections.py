"""The sections of the settings: every number a person may tune in one part of the platform.

Each section is frozen and refuses names it does not know. How sections are read and put together
belongs to `settings`.
"""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from odyssey_assets.core.costs import ProportionalCosts


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
    """What trading costs, and how much of a day's volume one order may be."""

    commission_bps: float = Field(10.0, ge=0, description="basis points of traded value")
    slippage_bps: float = Field(5.0, ge=0, description="basis points of traded value")
    impact_coefficient: float = Field(
        0.0, ge=0, description="of the square-root impact, daily standard deviations; 0: none"
    )
    max_participation: float = Field(
        0.1, gt=0, le=1, description="of the 20-session average dollar volume, an order a session"
    )

    @property
    def proportional(self) -> ProportionalCosts:
        """The costs as the scoring functions take them."""
        return ProportionalCosts(self.commission_bps, self.slippage_bps)


class PPOSettings(_Section):
    """How the learned policy is trained."""

    first_steps: int = Field(500_000, ge=1, description="environment steps without a warm start")
    steps_per_window: int = Field(100_000, ge=1, description="steps on top of a warm start")
    checkpoint_steps: int = Field(50_000, ge=1, description="steps between checkpoints")
    copies: int = Field(128, ge=1, description="environment copies stepped at once")
    rollout_steps: int = Field(64, ge=2, description="steps of each copy between updates")
    episode_sessions: int = Field(252, ge=2, description="sessions of an episode")
    batch_size: int = Field(2048, ge=2)
    epochs: int = Field(3, ge=1, description="passes over each rollout")
    learning_rate: float = Field(3e-3, gt=0)
    gamma: float = Field(0.95, gt=0, le=1, description="discount of a session")
    gae_lambda: float = Field(0.95, ge=0, le=1)
    clip_range: float = Field(0.2, gt=0)
    entropy_coefficient: float = Field(0.01, ge=0)
    hidden_units: tuple[int, ...] = Field((64, 64), description="tanh layers of both networks")
    seeds_newest_window: int = Field(3, ge=1, description="independent trainings")
    seeds_older_windows: int = Field(1, ge=1, description="independent trainings")
    min_train_windows: int = Field(2, ge=1, description="half years with forecasts to learn from")
    sharpe_weight: float = Field(1.0, ge=0, description="of the differential Sharpe ratio")


class PortfolioSettings(_Section):
    """What is held: capital, limits, and the policies that compete."""

    policies: tuple[str, ...] = (
        "ppo", "equal_weight", "inverse_volatility", "momentum", "minimum_variance",
        "hierarchical_risk_parity", "forecast_top_k", "forecast_kelly", "buy_and_hold",
    )  # fmt: skip
    capital_usd: float = Field(1_000_000.0, gt=0, description="each strategy starts with")
    max_weight: float = Field(0.2, gt=0, le=1, description="of equity in one ticker")
    max_invested: float = Field(0.8, gt=0, le=1, description="of equity in all tickers")
    min_cash: float = Field(0.2, ge=0, lt=1, description="of equity in cash")
    forecast_model: str = Field("xgboost", description="whose forecasts the policies see")
    cash_rate_series: str = Field(
        "IRX", description="macro series of the short rate, percent a year; absent: no interest"
    )
    lookback_sessions: int = Field(252, ge=20, description="of covariances and volatilities")
    top_k: int = Field(5, ge=1, description="tickers that forecast_top_k holds")
    kelly_fraction: float = Field(0.25, gt=0, le=1, description="of the full Kelly bet")
    max_annual_turnover: float = Field(50.0, gt=0, description="times equity; above: a warning")
    max_annual_cost: float = Field(0.03, gt=0, description="of equity; above: a warning")
    ppo: PPOSettings = PPOSettings()

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        if self.max_invested + self.min_cash > 1 + 1e-12:
            raise ValueError(
                f"max_invested {self.max_invested} and min_cash {self.min_cash} contradict each "
                "other: together they exceed 1"
            )
        if self.max_weight > self.max_invested:
            raise ValueError(
                f"max_weight {self.max_weight} exceeds max_invested {self.max_invested}"
            )
        repeated = sorted({name for name in self.policies if self.policies.count(name) > 1})
        if repeated or not self.policies:
            raise ValueError(f"policies must be named, each once; repeated: {repeated}")
        return self


class BacktestingSettings(_Section):
    """How results are resampled and stressed."""

    monte_carlo_paths: int = Field(1000, ge=10)
    monte_carlo_sessions: int = Field(252, ge=2, description="sessions of a resampled path")
    block_sessions: float = Field(20.0, ge=1, description="mean length of a bootstrap block")


class DriftSettings(_Section):
    """When a window no longer looks like what its model learned from."""

    method: Literal["psi", "ks", "jensen_shannon", "wasserstein"] = Field(
        "ks", description="distance that gives the verdict"
    )
    false_alarm_rate: float = Field(
        0.05, gt=0, lt=1, description="of a ticker and window in which nothing has changed"
    )
    min_sessions: int = Field(21, ge=5, description="of a window before there is a verdict")
    min_past_windows: int = Field(
        8, ge=3, description="earlier windows that set a threshold; fewer: a bootstrap"
    )
    major_share: float = Field(0.5, gt=0, le=1, description="of drifted inputs; severity major")
    reports_kept: int = Field(30, ge=1, description="drift reports kept on disk")


class DecaySettings(_Section):
    """When forecasts have become worse than their validation promised."""

    correlation_share: float = Field(
        0.8, ge=0, le=1, description="of the expected information coefficient"
    )
    coverage_points: float = Field(0.1, gt=0, le=1, description="off the interval's coverage")
    min_sharpe: float = Field(
        -1.0, description="of the sign strategy, and of a policy; annualised, 60 sessions"
    )
    false_alarm_rate: float = Field(
        0.05, gt=0, lt=1, description="of a ticker and window in which nothing has changed"
    )


class RetrainingSettings(_Section):
    """How often models are made anew."""

    is_automatic: bool = Field(True, description="whether findings retrain without a person")
    cooldown_sessions: int = Field(
        20, ge=0, description="between two retrainings of a ticker or policy"
    )
    daily_budget: int = Field(
        15, ge=1, description="tickers and policies retrained a day, scheduled ones aside"
    )


class PromotionSettings(_Section):
    """What a new model must show before it serves."""

    mode: Literal["automatic", "shadow", "manual"] = Field(
        "automatic", description="who decides: the gate at once, after a trial, or a person"
    )
    shadow_sessions: int = Field(20, ge=5, description="a challenger forecasts beside its champion")
    min_unseen_sessions: int = Field(20, ge=5, description="with known outcomes, to judge on")
    min_unseen_returns: int = Field(60, ge=5, description="sessions, to judge a policy on")
    significance: float = Field(0.05, gt=0, lt=1, description="of the test of being worse")
    sharpe_tolerance: float = Field(0.0, ge=0, description="a challenger may lack")
    correlation_tolerance: float = Field(0.0, ge=0, description="a challenger may lack")
    rmse_tolerance: float = Field(0.0, ge=0, description="share a challenger may exceed")
    bootstrap_paths: int = Field(2000, ge=100, description="of the test of being worse")
    block_sessions: float = Field(10.0, ge=1, description="mean length of a bootstrap block")
    rollback_sessions: int = Field(60, ge=1, description="after a promotion that may undo it")


class AlertSettings(_Section):
    """Who is told, besides the log."""

    webhook_url: str | None = Field(None, description="takes JSON with a `text`, as Slack does")
    smtp_host: str | None = Field(None, description="mail server; None: no mail")
    smtp_port: int = Field(25, ge=1, le=65535)
    mail_from: str = Field("odyssey@localhost")
    mail_to: tuple[str, ...] = ()
    timeout_s: float = Field(5.0, gt=0, description="seconds a channel may take")


class ScheduleSettings(_Section):
    """When things happen by themselves, in New York time."""

    nightly: str = Field(
        "18:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="after sessions"
    )
    monthly_day: int = Field(
        1, ge=1, le=28, description="of the month: everything retrains on the first session from it"
    )
    weekly_day: int = Field(6, ge=0, le=6, description="of the week, 0 Sunday: maintenance")
    events_kept_days: int = Field(90, ge=7, description="of Dagster's event log")


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

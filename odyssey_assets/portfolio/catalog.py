"""The policies to choose from. Add a rule as one file in `policies/` and one line here.

Which of them compete, and under which limits, is said in the settings. Learned policies are listed
here like rules; who decides for them, in which window, belongs to `portfolio.learned`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from odyssey_assets.errors import SettingsError
from odyssey_assets.portfolio.policies.policy import Policy
from odyssey_assets.settings import Settings

if TYPE_CHECKING:  # limits come with compiled kernels, which are slow to load
    from odyssey_assets.core.constraints import Limits
    from odyssey_assets.portfolio.contender import Contender

MOMENTUM_SESSIONS, MOMENTUM_SKIPPED_SESSIONS = 252, 21
MOMENTUM_WINNERS_SHARE = 1 / 3


@dataclass(frozen=True)
class PolicyEntry:
    """One kind of policy.

    Attributes:
        name: Name in settings and tables.
        description: One line for people.
        rebalance: When it decides.
        build: Makes the rule; imports its library only when called. None: the policy is learned,
            and every window has models of its own.
        is_concentrated: Whether one ticker may be all that is invested, because that is the idea.
        needs_proxy: Whether it competes only where the proxy is among the tickers.
    """

    name: str
    description: str
    rebalance: Literal["daily", "weekly", "monthly", "once"]
    build: Callable[[Settings], Policy] | None
    is_concentrated: bool = False
    needs_proxy: bool = False

    @property
    def is_learned(self) -> bool:
        """Whether the policy is trained, not written down."""
        return self.build is None

    def reason_to_stay_out(self, settings: Settings) -> str | None:
        """Return why the policy cannot compete under these settings; None if it can."""
        if self.needs_proxy and settings.proxy not in settings.tickers:
            return f"it buys the proxy {settings.proxy}, which is not among the tickers"
        return None

    def limits(self, settings: Settings) -> "Limits":
        """Return what the policy may hold."""
        from odyssey_assets.core.constraints import Limits

        config = settings.portfolio
        max_weight = config.max_invested if self.is_concentrated else config.max_weight
        return Limits(max_weight, config.max_invested, config.min_cash)


def _equal_weight(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.equal_weight import EqualWeight

    return EqualWeight(settings.portfolio.max_weight, settings.portfolio.max_invested)


def _inverse_volatility(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.inverse_volatility import InverseVolatility

    config = settings.portfolio
    return InverseVolatility(config.lookback_sessions, config.max_weight, config.max_invested)


def _momentum(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.momentum import Momentum

    return Momentum(
        MOMENTUM_SESSIONS,
        MOMENTUM_SKIPPED_SESSIONS,
        MOMENTUM_WINNERS_SHARE,
        settings.portfolio.max_weight,
        settings.portfolio.max_invested,
    )


def _minimum_variance(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.minimum_variance import MinimumVariance

    config = settings.portfolio
    return MinimumVariance(config.lookback_sessions, config.max_weight, config.max_invested)


def _hierarchical_risk_parity(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.hierarchical_risk_parity import HierarchicalRiskParity

    config = settings.portfolio
    return HierarchicalRiskParity(config.lookback_sessions, config.max_weight, config.max_invested)


def _forecast_top_k(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.forecast_top_k import ForecastTopK

    config = settings.portfolio
    return ForecastTopK(config.top_k, config.max_weight, config.max_invested)


def _forecast_kelly(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.forecast_kelly import ForecastKelly

    config = settings.portfolio
    return ForecastKelly(
        config.kelly_fraction, config.lookback_sessions, config.max_weight, config.max_invested
    )


def _buy_and_hold(settings: Settings) -> Policy:
    from odyssey_assets.portfolio.policies.buy_and_hold import BuyAndHold

    return BuyAndHold(settings.proxy, settings.portfolio.max_invested)


POLICIES: tuple[PolicyEntry, ...] = (
    PolicyEntry("ppo", "Learned: proximal policy optimisation on forecasts.", "daily", None),
    PolicyEntry("equal_weight", "The same share in every ticker.", "monthly", _equal_weight),
    PolicyEntry(
        "inverse_volatility",
        "Shares in proportion to 1 / volatility.",
        "monthly",
        _inverse_volatility,
    ),
    PolicyEntry("momentum", "The winners of the last year but one month.", "monthly", _momentum),
    PolicyEntry(
        "minimum_variance",
        "The least variable portfolio of all.",
        "monthly",
        _minimum_variance,
    ),
    PolicyEntry(
        "hierarchical_risk_parity",
        "Risk spread along a tree of similar tickers.",
        "monthly",
        _hierarchical_risk_parity,
    ),
    PolicyEntry("forecast_top_k", "The best forecasts in equal shares.", "weekly", _forecast_top_k),
    PolicyEntry(
        "forecast_kelly",
        "Fractional Kelly bets on positive forecasts.",
        "weekly",
        _forecast_kelly,
    ),
    PolicyEntry(
        "buy_and_hold",
        "The proxy, bought once.",
        "once",
        _buy_and_hold,
        is_concentrated=True,
        needs_proxy=True,
    ),
)


def chosen_policies(settings: Settings) -> tuple[PolicyEntry, ...]:
    """Return the entries that the settings name, in their order.

    Raises:
        SettingsError: A name is not in the catalog.
    """
    entries = {entry.name: entry for entry in POLICIES}
    unknown = [name for name in settings.portfolio.policies if name not in entries]
    if unknown:
        raise SettingsError(
            f"portfolio.policies names {unknown}; the catalog has {', '.join(entries)}."
        )
    return tuple(entries[name] for name in settings.portfolio.policies)


def learned_policies(settings: Settings) -> tuple[str, ...]:
    """Return the names of the learned policies among those that the settings name.

    Raises:
        SettingsError: A name is not in the catalog.
    """
    return tuple(entry.name for entry in chosen_policies(settings) if entry.is_learned)


def rule_contenders(settings: Settings) -> tuple["Contender", ...]:
    """Return the rules that the settings let compete, in their order.

    A rule that has a reason to stay out is left out.

    Raises:
        SettingsError: A name is not in the catalog.
    """
    from odyssey_assets.portfolio.contender import Contender, Stretch

    return tuple(
        Contender(
            strategy=entry.name,
            seed=None,
            is_main_seed=True,
            rebalance=entry.rebalance,
            limits=entry.limits(settings),
            stretches=(Stretch(None, entry.build(settings)),),
        )
        for entry in chosen_policies(settings)
        if entry.build is not None and entry.reason_to_stay_out(settings) is None
    )

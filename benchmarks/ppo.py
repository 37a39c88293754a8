"""How long our PPO takes to learn what stable-baselines3's defaults learn in 500,000 steps.

A made-up market of 15 tickers whose forecasts truly predict: each has an expected return that comes
and goes (AR(1)), and a noisy forecast of it. Seven years are learned from, the nine after them give
the oracle score: the annualised Sharpe ratio after costs of the policy's most likely actions.

The plain way: `PPO("MlpPolicy")` on a `gymnasium.Env` in `DummyVecEnv` with one copy,
stable-baselines3's default rollout, batch, epochs and learning rate. Ours: `build_ppo` with the
default settings on the native `PortfolioVecEnv`. Network, reward, costs, discount, clipping and
entropy coefficient are the same; both run on one thread. Time is that of learning alone, without
evaluations. Ours has reached the score where two evaluations in a row are at least as good.

Run `python -m benchmarks.ppo [--steps 500000] [--seeds 0 1 2]`: about six minutes a seed, nearly
all of them the plain way's. `--steps 20000` is a smoke run.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from benchmarks.measurement import print_conditions
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Simulator, TradingCosts
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.core.returns import sharpe
from odyssey_assets.portfolio.environment import PortfolioVecEnv
from odyssey_assets.portfolio.gym_environment import PortfolioEnv
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.observations import fit_forecast_scale
from odyssey_assets.portfolio.ppo import build_ppo, greedy_returns
from odyssey_assets.settings_sections import CostSettings, PortfolioSettings

PACKAGES = ("stable-baselines3", "gymnasium", "torch", "numpy")
TARGET_RATIO = 0.2
SESSIONS, LEARNED, TICKERS, HORIZON = 4000, 1764, 15, 5
PERSISTENCE, PREDICTABILITY, FORECAST_NOISE = 0.9, 0.25, 0.3
CONFIG, COSTS = PortfolioSettings(), CostSettings()


@dataclass(frozen=True)
class Point:
    """One evaluation: steps taken, seconds of learning, oracle score."""

    steps: int
    seconds: float
    score: float


class Oracle:
    """A market whose forecasts truly predict, and the score of a policy on its later sessions."""

    def __init__(self, seed: int) -> None:
        self.market = oracle_market(seed)
        self.scale = fit_forecast_scale(self.market.forecasts[: LEARNED + 1])
        limits = Limits(CONFIG.max_weight, CONFIG.max_invested, CONFIG.min_cash)
        costs = TradingCosts(**COSTS.model_dump())
        self.simulator = Simulator(self.market.panel, limits, costs)

    @property
    def problem(self) -> dict[str, Any]:
        """The arguments that both kinds of environment take."""
        return {
            "market": self.market, "first": 0, "last": LEARNED, "scale": self.scale,
            "simulator": self.simulator, "settings": CONFIG.ppo, "max_weight": CONFIG.max_weight,
            "capital": CONFIG.capital_usd,
        }  # fmt: skip

    def score(self, model: PPO) -> float:
        """Return the Sharpe ratio after costs on sessions that were not learned from."""
        run = greedy_returns(
            model.policy, self.market, LEARNED, SESSIONS - 1, self.scale, self.simulator,
            CONFIG.max_weight, CONFIG.capital_usd,
        )  # fmt: skip
        return float(sharpe(run.returns))


def oracle_market(seed: int) -> PortfolioMarket:
    """Return prices with a predictable part and forecasts that know it up to noise."""
    generator = np.random.default_rng(seed)
    shape = (SESSIONS, TICKERS)
    volatility = generator.uniform(0.008, 0.02, TICKERS)
    signal = generator.standard_normal(shape)
    for session in range(1, SESSIONS):
        fresh = np.sqrt(1 - PERSISTENCE**2) * signal[session]
        signal[session] = PERSISTENCE * signal[session - 1] + fresh
    shocks = 0.5 * generator.standard_normal((SESSIONS, 1))
    shocks = shocks + np.sqrt(0.75) * generator.standard_normal(shape)
    expected = PREDICTABILITY * np.vstack([np.zeros((1, TICKERS)), signal[:-1]])
    steps = volatility * (expected + np.sqrt(1 - PREDICTABILITY**2) * shocks)
    close = 100 * np.exp(np.cumsum(steps, axis=0))
    opens = close * np.exp(-0.7 * steps)
    ahead = volatility * PREDICTABILITY * (1 - PERSISTENCE**HORIZON) / (1 - PERSISTENCE)
    noise = FORECAST_NOISE * generator.standard_normal(shape)
    forecasts = ahead * (np.sqrt(1 - FORECAST_NOISE**2) * signal + noise)
    days = np.busday_offset(np.datetime64("2008-01-01"), np.arange(SESSIONS), roll="forward")
    ones = np.ones(shape)
    panel = PricePanel(
        dates=days.astype("datetime64[D]"),
        tickers=tuple(f"T{column:02d}" for column in range(TICKERS)),
        open=opens, close=close, factor=ones, has_bar=ones.astype(bool), dollar_volume=1e9 * ones,
        volatility=volatility * ones, cash_return=np.zeros(SESSIONS),
    )  # fmt: skip
    return PortfolioMarket(panel, forecasts, np.abs(forecasts), HORIZON)


def plain(oracle: Oracle, seed: int) -> PPO:
    """Return stable-baselines3's PPO as its defaults have it, on one plain environment."""
    env = DummyVecEnv([lambda: PortfolioEnv(**oracle.problem, seed=seed)])
    ppo = CONFIG.ppo
    layers = list(ppo.hidden_units)
    return PPO(
        "MlpPolicy", env, gamma=ppo.gamma, gae_lambda=ppo.gae_lambda, clip_range=ppo.clip_range,
        ent_coef=ppo.entropy_coefficient, device="cpu", seed=seed,
        policy_kwargs={"net_arch": {"pi": layers, "vf": layers}},
    )  # fmt: skip


def ours(oracle: Oracle, seed: int) -> PPO:
    """Return the learner of the platform with its default settings."""
    env = PortfolioVecEnv(**oracle.problem, copies=CONFIG.ppo.copies, seed=seed)
    return build_ppo(env, CONFIG.ppo, seed)


def learn(model: PPO, oracle: Oracle, steps: int, every: int, until: float | None) -> list[Point]:
    """Learn, evaluating about every `every` steps; stop early two evaluations at `until`."""
    curve: list[Point] = []
    seconds = 0.0
    while model.num_timesteps < steps:
        started = time.perf_counter()
        model.learn(every, reset_num_timesteps=not curve)
        seconds += time.perf_counter() - started
        curve.append(Point(model.num_timesteps, seconds, oracle.score(model)))
        point = curve[-1]
        print(f"  {point.steps:>8,} steps {point.seconds:>7.1f} s  score {point.score:>6.2f}")
        if until is not None and all(one.score >= until for one in curve[-2:]) and curve[1:]:
            break
    return curve


def compare(seed: int, steps: int) -> float | None:
    """Print both learning curves; return ours / plain in seconds, None where ours falls short."""
    oracle = Oracle(seed)
    every = max(steps // 20, 1)
    print(f"seed {seed}: plain, one copy, stable-baselines3's defaults")
    slow = learn(plain(oracle, seed), oracle, steps, every, None)
    score = slow[-1].score
    print(f"seed {seed}: ours, {CONFIG.ppo.copies} copies, to a score of {score:.2f}")
    fast = learn(ours(oracle, seed), oracle, 2 * steps, every // 2, score)
    if len(fast) < 2 or min(one.score for one in fast[-2:]) < score:
        print(f"seed {seed}: ours did not reach {score:.2f} in {fast[-1].steps:,} steps")
        return None
    reached = fast[-2]
    rate, plain_rate = (one.steps / one.seconds for one in (fast[-1], slow[-1]))
    print(
        f"seed {seed}: score {score:.2f} after {slow[-1].seconds:.1f} s the plain way, "
        f"{reached.seconds:.1f} s ours ({reached.steps:,} steps): ratio "
        f"{reached.seconds / slow[-1].seconds:.3f} (target at most {TARGET_RATIO}); steps a second "
        f"{plain_rate:,.0f} and {rate:,.0f}"
    )
    return reached.seconds / slow[-1].seconds


def main() -> None:
    """Compare on one market a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500_000, help="of the plain way")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="a market and a run each")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print_conditions(PACKAGES)
    ratios = [compare(seed, options.steps) for seed in options.seeds]
    reached = [ratio for ratio in ratios if ratio is not None]
    if reached:
        print(f"{len(reached)} of {len(ratios)} reached it; worst ratio {max(reached):.3f}")


if __name__ == "__main__":
    main()

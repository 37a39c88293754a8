"""One training: learn, validate at each checkpoint, keep the best, go on where it stopped.

stable-baselines3 runs the rollouts and updates; a callback between two rollouts measures and keeps
checkpoints. The policy that did best on the validation half year comes out, as an ONNX graph with a
description. Which trainings there are belongs to `portfolio.training_plan`, state to
`portfolio.checkpoints`, storage and records to `portfolio.training_chain`.
"""

import math
import random
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

from odyssey_assets.core.returns import sharpe, total_return
from odyssey_assets.errors import TrainingError
from odyssey_assets.portfolio.checkpoint_store import CheckpointStore
from odyssey_assets.portfolio.checkpoints import Measured, capture, restore
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.onnx_export import load_network, network_arrays
from odyssey_assets.portfolio.ppo import build_ppo
from odyssey_assets.portfolio.training_curve import CurvePoint, best_point
from odyssey_assets.portfolio.training_ground import TrainingGround
from odyssey_assets.portfolio.training_plan import Training
from odyssey_assets.settings import Settings

THREADS = 1


@dataclass(frozen=True)
class TrainedPolicy:
    """What a training gives.

    Attributes:
        payload: The chosen policy, an ONNX graph.
        content: What it is: identity, curve, choice (JSON-like).
    """

    payload: bytes
    content: Mapping[str, Any]


def train_policy(
    market: PortfolioMarket,
    training: Training,
    settings: Settings,
    warm_start: tuple[str, bytes] | None,
    checkpoints: CheckpointStore,
    log_dir: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainedPolicy:
    """Train one policy, from its newest checkpoint on if there is one.

    The result is the same, to the last byte, whether or not the training was interrupted.

    Args:
        market: The rows that the training may see, and no others, as `Spans.cut` returns them.
        training: What to train.
        settings: Hyperparameters, limits and costs.
        warm_start: SHA-256 and payload of the model to start from; None: from nothing.
        checkpoints: Those of this training; the caller discards them when the model is kept.
        log_dir: Where TensorBoard finds scalars; None: nowhere.
        say: Called with a line for people at each checkpoint.

    Raises:
        ModelError: The model to start from or a checkpoint has another shape or was altered, or a
            checkpoint cannot be written.
        TrainingError: A reward, an observation or a weight is no finite number.
    """
    with _own_generators():
        ground = TrainingGround.of(market, training, settings)
        model = build_ppo(ground.env, settings.portfolio.ppo, training.random_seed)
        if warm_start is not None:
            load_network(model.policy, warm_start[1])
        found = checkpoints.newest()
        measured = None if found is None else restore(model, ground.env, *found)
        record = _Record(model, ground, checkpoints, measured or Measured(), say)
        model.set_logger(_logger(log_dir))
        try:
            if measured is None and warm_start is not None:
                record.measure()
            model.learn(training.steps - model.num_timesteps, record, reset_num_timesteps=False)
            record.measure()
        except ValueError as error:  # the simulator refuses what is not finite
            raise record.broken_by(f"a value that cannot be used ({error})") from error
        finally:
            model.logger.close()
        return _result(record, training, None if warm_start is None else warm_start[0])


def _result(record: "_Record", training: Training, warm_start_sha256: str | None) -> TrainedPolicy:
    curve = record.measured.curve
    content = {
        **training.full_identity(warm_start_sha256),
        "steps_taken": curve[-1].steps,
        "selected_steps": best_point(curve).steps,
        "curve": [point.content for point in curve],
        "threads": torch.get_num_threads(),
        "forecast_scale": record.ground.forecast_scale.tolist(),
    }
    return TrainedPolicy(record.measured.payload, content)


class _Record(BaseCallback):
    """Measures and keeps checkpoints between rollouts; refuses what is no finite number."""

    def __init__(
        self,
        ppo: PPO,
        ground: TrainingGround,
        checkpoints: CheckpointStore,
        measured: Measured,
        say: Callable[[str], None] | None,
    ) -> None:
        super().__init__()
        self.ground, self.measured = ground, measured
        self._ppo, self._checkpoints, self._say = ppo, checkpoints, say
        self._reward = 0.0

    def measure(self) -> None:
        """Validate the policy as it is now, and take note of it."""
        self._refuse_unless_finite("weight", *network_arrays(self._ppo.policy).values())
        payload = self.ground.export(self._ppo)
        run = self.ground.validate(payload)
        self._refuse_unless_finite("return in validation", run.returns)
        steps = self._ppo.num_timesteps
        taken = steps - self._last_steps
        ratio = float(sharpe(run.returns))
        point = CurvePoint(
            steps=steps,
            mean_reward=self._reward / taken if taken else None,
            validation_sharpe=None if math.isnan(ratio) else ratio,
            validation_return=float(total_return(run.returns)),
            validation_turnover=float(run.turnover.mean()),
        )
        curve = (*self.measured.curve, point)
        is_best = best_point(curve) is point
        self.measured = Measured(curve, payload if is_best else self.measured.payload)
        self._reward = 0.0
        self._tell(point)

    @property
    def _last_steps(self) -> int:
        return self.measured.curve[-1].steps if self.measured.curve else 0

    def _on_rollout_start(self) -> None:
        self._refuse_unless_finite("scaled observation", np.asarray(self._ppo._last_obs))
        self._refuse_unless_finite("weight", *network_arrays(self._ppo.policy).values())
        every = self.ground.settings.portfolio.ppo.checkpoint_steps
        if self._ppo.num_timesteps // every > self._last_steps // every:
            self.measure()
            state = capture(self._ppo, self.ground.env, self.measured)
            self._checkpoints.save(self._ppo.num_timesteps, *state)

    def _on_step(self) -> bool:
        rewards = self.locals["rewards"]
        self._refuse_unless_finite("reward", rewards)
        self._refuse_unless_finite("scaled observation", self.locals["new_obs"])
        self._reward += float(rewards.sum(dtype=np.float64))
        return True

    def broken_by(self, what: str) -> TrainingError:
        """Return the error that says what the training met and what to do."""
        training = self.ground.training
        return TrainingError(
            f"The training of {training.label} met {what} after {self._ppo.num_timesteps:,} "
            "steps. No model was stored. Lower portfolio.ppo.learning_rate; if that does not "
            "help, look for broken prices in market_data.bars from "
            f"{training.identity['train_start']} to {training.identity['valid_end']}."
        )

    def _refuse_unless_finite(self, what: str, *arrays: np.ndarray) -> None:
        if not all(np.isfinite(array).all() for array in arrays):
            raise self.broken_by(f"a {what} that is no finite number")

    def _tell(self, point: CurvePoint) -> None:
        figures = {
            "reward/mean": point.mean_reward,
            "validation/sharpe": point.validation_sharpe,
            "validation/return": point.validation_return,
            "validation/turnover": point.validation_turnover,
        }
        for name, value in figures.items():
            if value is not None:
                self._ppo.logger.record(name, value)
        self._ppo.logger.dump(point.steps)
        total = max(self.ground.training.steps, point.steps)
        if self._say is None:
            return
        self._say(
            f"{self.ground.training.label}: {point.steps:,} of {total:,} steps, "
            f"reward {_shown(point.mean_reward, 3)}, "
            f"validation Sharpe {_shown(point.validation_sharpe, 2)}"
        )


def _shown(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:.{digits}f}"


def _logger(log_dir: Path | None) -> Logger:
    if log_dir is None:
        return Logger(None, [])
    try:
        formats: list[KVWriter] = [TensorBoardOutputFormat(str(log_dir))]
    except OSError as error:
        raise TrainingError(
            f"TensorBoard logs cannot be written to {log_dir}: {error}. Make the folder writable, "
            "or free disk space."
        ) from error
    return Logger(str(log_dir), formats)


@contextmanager
def _own_generators() -> Generator[None, None, None]:
    """Leave the process's generators and threads as they were: stable-baselines3 seeds them."""
    former = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(former[0])
        np.random.set_state(former[1])  # noqa: NPY002 (stable-baselines3 seeds this one)
        torch.set_rng_state(former[2])

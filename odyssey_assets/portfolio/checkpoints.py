"""The whole state of a training between two rollouts: enough to go on from it, bit for bit.

Network, optimiser, environment, last observation, counters, every generator of random numbers, and
what was measured so far. When it is captured belongs to `portfolio.ppo_training`, how it is kept to
`portfolio.checkpoint_store`.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO

from odyssey_assets.portfolio.environment import PortfolioVecEnv
from odyssey_assets.portfolio.onnx_export import network_arrays, refuse_other_shapes
from odyssey_assets.portfolio.training_curve import CurvePoint

_COUNTERS = ("num_timesteps", "_n_updates", "_episode_num")
_ADAM = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Measured:
    """What a training has shown so far.

    Attributes:
        curve: Its checkpoints, oldest first.
        payload: The exported policy of the best of them; empty before the first.
    """

    curve: tuple[CurvePoint, ...] = ()
    payload: bytes = b""


def capture(
    model: PPO, env: PortfolioVecEnv, measured: Measured
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the state as arrays and JSON-like content; call it between two rollouts."""
    kind, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 (stable-baselines3 draws from it)
    version, words, next_gauss = random.getstate()
    payload = np.frombuffer(measured.payload, dtype=np.uint8)
    arrays = {
        **_prefixed("network", network_arrays(model.policy)),
        **_prefixed("adam", _optimizer_arrays(model)),
        **_prefixed("env", env.get_state()),
        "last_observation": np.array(model._last_obs),
        "episode_starts": np.array(model._last_episode_starts),
        "torch_generator": torch.get_rng_state().numpy(),
        "numpy_generator": np.asarray(keys),
        "python_generator": np.array(words, dtype=np.uint64),
        "best_policy": payload,
    }
    content = {
        "counters": {name: int(getattr(model, name)) for name in _COUNTERS},
        "numpy_generator": [str(kind), int(position), int(has_gauss), float(cached)],
        "python_generator": [version, next_gauss],
        "curve": [point.content for point in measured.curve],
    }
    return arrays, content


def restore(
    model: PPO,
    env: PortfolioVecEnv,
    arrays: Mapping[str, np.ndarray],
    content: Mapping[str, Any],
) -> Measured:
    """Bring a new model and its environment to a captured state.

    Raises:
        ModelError: The state is of a network or an environment of another shape.
    """
    network = _of_prefix("network", arrays)
    optimizer = _of_prefix("adam", arrays)
    refuse_other_shapes(network, network_arrays(model.policy), "The checkpoint")
    refuse_other_shapes(optimizer, _adam_of(model) if optimizer else {}, "The optimiser's state")
    env.set_state(_of_prefix("env", arrays))
    model.policy.load_state_dict({name: _tensor(value) for name, value in network.items()})
    _restore_optimizer(model, optimizer)
    model._last_obs = arrays["last_observation"]
    model._last_episode_starts = arrays["episode_starts"]
    for name in _COUNTERS:
        setattr(model, name, content["counters"][name])
    torch.set_rng_state(torch.from_numpy(arrays["torch_generator"].copy()))
    kind, *rest = content["numpy_generator"]
    np.random.set_state((kind, arrays["numpy_generator"], *rest))  # noqa: NPY002 (as above)
    version, next_gauss = content["python_generator"]
    random.setstate((version, tuple(arrays["python_generator"].tolist()), next_gauss))
    curve = tuple(CurvePoint.of(point) for point in content["curve"])
    return Measured(curve, arrays["best_policy"].tobytes())


def _optimizer_arrays(model: PPO) -> dict[str, np.ndarray]:
    state = model.policy.optimizer.state_dict()["state"]
    return {
        f"{parameter}.{name}": value.numpy().copy()
        for parameter, values in state.items()
        for name, value in values.items()
    }


def _adam_of(model: PPO) -> dict[str, np.ndarray]:
    """Return arrays of the shapes that Adam keeps once it has taken a step."""
    return {
        f"{at}.{name}": np.empty(parameter.shape if name != "step" else (), dtype=np.float32)
        for at, parameter in enumerate(model.policy.parameters())
        for name in _ADAM
    }


def _restore_optimizer(model: PPO, arrays: Mapping[str, np.ndarray]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in arrays.items():
        parameter, name = key.split(".")
        state.setdefault(int(parameter), {})[name] = _tensor(value)
    groups = model.policy.optimizer.state_dict()["param_groups"]
    model.policy.optimizer.load_state_dict({"state": state, "param_groups": groups})


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).clone()


def _prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _of_prefix(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{prefix}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}/")
    }

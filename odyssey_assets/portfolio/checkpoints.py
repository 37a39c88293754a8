"""Checkpoints of a training: everything it needs to go on, bit for bit, where it stopped.

A checkpoint is taken between two rollouts: network, optimiser, environment, last observation,
counters, every generator of random numbers, and what was measured so far. It is kept as signed
arrays and JSON, so nothing is executed when it is read, and an altered one is refused. When
checkpoints are taken belongs to `portfolio.ppo_training`.
"""

import io
import random
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.environment import PortfolioVecEnv
from odyssey_assets.portfolio.onnx_export import network_arrays, refuse_other_shapes
from odyssey_assets.portfolio.training_curve import CurvePoint

FOLDER = "checkpoints"
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


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training in the store; the newest counts.

    Attributes:
        store: Where they are kept.
        identity: All that decides the bytes of the training.
        name: Name of the training, unique for its identity.
    """

    store: ModelStore
    identity: Mapping[str, Any]
    name: str

    def save(self, model: PPO, env: PortfolioVecEnv, measured: Measured) -> None:
        """Keep the state as a whole or not at all, then let go of those before.

        Raises:
            ModelError: It cannot be written.
        """
        arrays, content = capture(model, env, measured)
        name = (FOLDER, f"{self.name}-{model.num_timesteps:012d}")
        self.store.save(name, _packed(arrays), {**content, "identity": dict(self.identity)}, {})
        self._remove_all_but(name)

    def restore(self, model: PPO, env: PortfolioVecEnv) -> Measured | None:
        """Bring a new model and its environment to the newest checkpoint; None if there is none.

        Raises:
            ModelError: It has been altered, or is of another shape.
        """
        for name in reversed(self._names()):
            stored = self.store.find(name)
            if stored is not None:
                return self._restore(stored, model, env)
        return None

    def discard(self) -> None:
        """Remove all checkpoints of the training."""
        self._remove_all_but(None)

    def _restore(self, stored: StoredModel, model: PPO, env: PortfolioVecEnv) -> Measured:
        if stored.content["identity"] != dict(self.identity):
            raise ModelError(
                f"The checkpoint {self.name} is of another training than expected: data, settings "
                "or software differ. Remove it from the model store; training then begins anew."
            )
        try:
            with np.load(io.BytesIO(stored.payload), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            return restore(model, env, arrays, stored.content)
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"The checkpoint {self.name} cannot be read: {error}. Remove it from the model "
                "store; training then begins anew."
            ) from error

    def _names(self) -> list[tuple[str, ...]]:
        own = f"{self.name}-"
        return [name for name in self.store.names((FOLDER,)) if name[1].startswith(own)]

    def _remove_all_but(self, kept: tuple[str, ...] | None) -> None:
        for name in self._names():
            if name != kept:
                self.store.remove(name)


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
    refuse_other_shapes(network, network_arrays(model.policy), "The checkpoint")
    env.set_state(_of_prefix("env", arrays))
    model.policy.load_state_dict({name: _tensor(value) for name, value in network.items()})
    _restore_optimizer(model, _of_prefix("adam", arrays))
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


def _restore_optimizer(model: PPO, arrays: Mapping[str, np.ndarray]) -> None:
    expected = {
        f"{at}.{name}": np.empty(parameter.shape if name != "step" else (), dtype=np.float32)
        for at, parameter in enumerate(model.policy.parameters())
        for name in _ADAM
    }
    refuse_other_shapes(arrays, expected if arrays else {}, "The checkpoint's optimiser")
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in arrays.items():
        parameter, name = key.split(".")
        state.setdefault(int(parameter), {})[name] = _tensor(value)
    groups = model.policy.optimizer.state_dict()["param_groups"]
    model.policy.optimizer.load_state_dict({"state": state, "param_groups": groups})


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).clone()


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    return buffer.getvalue()


def _prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _of_prefix(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{prefix}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}/")
    }

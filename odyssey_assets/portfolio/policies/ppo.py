"""The trained policy at work: an exported network decides from forecasts and held weights.

Neither torch nor stable-baselines3 is needed here. How the network learned belongs to
`portfolio.ppo_training`, how it became a file to `portfolio.onnx_export`.
"""

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.observations import raw_observation, wanted_weights

OBSERVATION, ACTION, VALUE, NOISE = "observation", "action", "value", "log_noise"
"""Names of the graph's input and outputs."""
ONLY_FATAL = 4

_LOAD_ERRORS = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)


class PPOPolicy:
    """Wants the weights that the network's most likely action leads to.

    Args:
        payload: ONNX graph as `portfolio.onnx_export.export_policy` makes it.
        tickers: Tickers of the market it decides in.
        max_weight: Most that one ticker may weigh: the change that an action of 1 asks for.

    Raises:
        ModelError: The payload is no such graph, or of another number of tickers.
    """

    def __init__(self, payload: bytes, tickers: int, max_weight: float) -> None:
        self._max_weight = max_weight
        try:
            self._session = onnxruntime.InferenceSession(
                payload, _options(), providers=["CPUExecutionProvider"]
            )
        except _LOAD_ERRORS as error:
            raise ModelError(
                f"The policy's payload is no ONNX graph that can be run: {error}. Train its window "
                "anew."
            ) from error
        found = {one.name: one.shape[-1] for one in self._session.get_inputs()}
        answers = {one.name: one.shape[-1] for one in self._session.get_outputs()}
        if found != {OBSERVATION: 2 * tickers} or answers.get(ACTION) != tickers:
            raise ModelError(
                f"The policy's graph takes {found} and gives {answers}; expected {OBSERVATION} of "
                f"{2 * tickers} and {ACTION} of {tickers} numbers for {tickers} tickers. Train all "
                "windows anew after a change of the tickers."
            )

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:
        """Return held weights plus the wanted changes; None where no ticker has a forecast.

        A ticker that is not listed yet gets 0, whatever the network says.
        """
        if not np.isfinite(view.forecast).any():
            return None
        action = self.act(raw_observation(view.forecast, held)[np.newaxis])[0]
        wanted = wanted_weights(held, action, self._max_weight)
        return np.where(view.panel.is_listed[-1], wanted, 0.0)

    def act(self, observations: np.ndarray) -> np.ndarray:
        """Return actions in [-1, 1], shape (batch, tickers), float32.

        Args:
            observations: Raw, shape (batch, 2 x tickers), float32.
        """
        (action,) = self._session.run([ACTION], {OBSERVATION: observations})
        return np.asarray(action)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = ONLY_FATAL
    return options

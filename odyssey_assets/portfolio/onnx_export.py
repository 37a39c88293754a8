"""The trained network as an ONNX graph, and back: one file serves and is what training starts from.

The graph takes raw observations, so that scaling and clipping travel with the weights. Besides the
deterministic action it gives the estimated value and the logarithm of the exploration noise: with
them the file holds the whole network. Asking it for decisions belongs to `portfolio.policies.ppo`.
"""

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no stubs
from onnx import TensorProto, helper, numpy_helper
from stable_baselines3.common.policies import ActorCriticPolicy

from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.observations import CLIP
from odyssey_assets.portfolio.policies.ppo import ACTION, NOISE, OBSERVATION, VALUE

OPSET, IR_VERSION = 17, 8
"""Old enough for every runtime in use."""
PRODUCER = "odyssey"
_CONSTANTS = _SCALE, _LOW, _HIGH, _WEAKEST, _STRONGEST = (
    "scale", "low", "high", "weakest", "strongest",
)  # fmt: skip


def export_policy(policy: ActorCriticPolicy, scale: np.ndarray) -> bytes:
    """Return the graph of a policy of tanh layers; the same weights give the same bytes.

    Args:
        policy: As `portfolio.ppo.build_ppo` makes it.
        scale: What a raw observation is divided by, shape (2 x tickers,), float32.

    Raises:
        ModelError: The network has layers other than linear and tanh.
    """
    nodes = [
        helper.make_node("Div", [OBSERVATION, _SCALE], ["scaled"]),
        helper.make_node("Clip", ["scaled", _LOW, _HIGH], ["seen"]),
        *_layers(policy.mlp_extractor.policy_net, "mlp_extractor.policy_net", "seen", "actor"),
        _linear("action_net", "actor", "wanted"),
        helper.make_node("Clip", ["wanted", _WEAKEST, _STRONGEST], [ACTION]),
        *_layers(policy.mlp_extractor.value_net, "mlp_extractor.value_net", "seen", "critic"),
        _linear("value_net", "critic", VALUE),
        helper.make_node("Identity", ["log_std"], [NOISE]),
    ]
    constants = {
        _SCALE: scale.astype(np.float32),
        _LOW: np.float32(-CLIP),
        _HIGH: np.float32(CLIP),
        _WEAKEST: np.float32(-1.0),
        _STRONGEST: np.float32(1.0),
    }
    arrays = {**constants, **network_arrays(policy)}
    tickers = len(scale) // 2
    graph = helper.make_graph(
        nodes,
        PRODUCER,
        [_float_info(OBSERVATION, ["batch", 2 * tickers])],
        [
            _float_info(ACTION, ["batch", tickers]),
            _float_info(VALUE, ["batch", 1]),
            _float_info(NOISE, [tickers]),
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name=PRODUCER,
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def network_arrays(policy: ActorCriticPolicy) -> dict[str, np.ndarray]:
    """Return copies of all weights by the name that torch gives them, float32."""
    return {name: value.numpy().copy() for name, value in policy.state_dict().items()}


def load_network(policy: ActorCriticPolicy, payload: bytes) -> None:
    """Give a policy the weights of an exported one; its optimiser stays as it is.

    Raises:
        ModelError: The payload is no such graph, or of a network of another shape.
    """
    try:
        graph = onnx.load_model_from_string(payload).graph
    except DecodeError as error:
        raise ModelError(
            f"The model to start from is no ONNX graph: {error}. Train its window anew."
        ) from error
    found = {
        one.name: numpy_helper.to_array(one)
        for one in graph.initializer
        if one.name not in _CONSTANTS
    }
    refuse_other_shapes(found, network_arrays(policy), "The model to start from")
    policy.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in found.items()})


def refuse_other_shapes(
    found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], what: str
) -> None:
    """Refuse arrays that do not fit into a network.

    Raises:
        ModelError: Names the first that is missing, unknown or of another shape.
    """
    for name in sorted({*found, *expected}):
        shapes = [
            f"{one[name].dtype}{list(one[name].shape)}" if name in one else "none"
            for one in (found, expected)
        ]
        if shapes[0] != shapes[1]:
            raise ModelError(
                f"{what} has another shape: {name} is {shapes[0]}, expected {shapes[1]}. Tickers, "
                "hidden units or software have changed since: train all windows anew, from the "
                "first one on."
            )


def _layers(
    layers: torch.nn.Sequential, name: str, input_name: str, output_name: str
) -> list[onnx.NodeProto]:
    """Return the nodes of a tower of linear and tanh layers; its last output is `output_name`."""
    nodes: list[onnx.NodeProto] = []
    current = input_name
    for at, layer in enumerate(layers):
        following = output_name if at == len(layers) - 1 else f"{output_name}.{at}"
        if isinstance(layer, torch.nn.Linear):
            nodes.append(_linear(f"{name}.{at}", current, following))
        elif isinstance(layer, torch.nn.Tanh):
            nodes.append(helper.make_node("Tanh", [current], [following]))
        else:
            raise ModelError(
                f"{name}.{at} is a {type(layer).__name__}; only linear and tanh layers can be "
                "exported."
            )
        current = following
    return nodes


def _linear(name: str, input_name: str, output_name: str) -> onnx.NodeProto:
    inputs = [input_name, f"{name}.weight", f"{name}.bias"]
    return helper.make_node("Gemm", inputs, [output_name], transB=1)


def _float_info(name: str, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

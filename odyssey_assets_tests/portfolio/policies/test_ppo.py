import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.observations import observation_scale, raw_observation
from odyssey_assets.portfolio.onnx_export import export_policy
from odyssey_assets.portfolio.policies.ppo import ACTION, OBSERVATION, PPOPolicy
from odyssey_assets_tests.portfolio.small_learner import learner
from odyssey_assets_tests.portfolio.small_training import small_market, tiny_settings

TICKERS = 3
MARKET = small_market(TICKERS, listed_from={2: 300})
HELD = np.array([0.1, 0.0, 0.05])


@pytest.fixture(scope="module")
def payload() -> bytes:
    ground, model = learner(MARKET, tiny_settings(TICKERS), steps=256)
    return export_policy(model.policy, observation_scale(ground.forecast_scale, 0.2))


def test_target_is_what_is_held_plus_the_share_of_the_largest_change(payload: bytes) -> None:
    view = MARKET.until(400)
    policy = PPOPolicy(payload, TICKERS, 0.2)
    action = policy.act(raw_observation(view.forecast, HELD)[None])[0]
    assert action.shape == (TICKERS,)
    assert (action != 0).all()
    wanted = policy.decide(view, HELD)
    assert wanted is not None
    assert wanted.dtype == np.float64
    np.testing.assert_array_equal(wanted, HELD + 0.2 * action.astype(np.float64))
    halved = PPOPolicy(payload, TICKERS, 0.1).decide(view, HELD)
    assert halved is not None
    np.testing.assert_allclose(halved - HELD, (wanted - HELD) / 2, rtol=1e-12)


def test_decision_depends_on_the_newest_forecast_and_on_what_is_held(payload: bytes) -> None:
    policy, view = PPOPolicy(payload, TICKERS, 0.2), MARKET.until(400)
    wanted = policy.decide(view, HELD)
    forecasts = view.forecasts.copy()
    forecasts[:-1] = 9.0
    np.testing.assert_array_equal(policy.decide(replace(view, forecasts=forecasts), HELD), wanted)
    forecasts[-1, 0] += 0.01
    other = policy.decide(replace(view, forecasts=forecasts), HELD)
    assert not np.array_equal(np.asarray(other), np.asarray(wanted))


def test_ticker_that_is_not_listed_gets_nothing(payload: bytes) -> None:
    wanted = PPOPolicy(payload, TICKERS, 0.2).decide(MARKET.until(100), np.zeros(TICKERS))
    assert wanted is not None
    assert wanted[2] == 0
    assert np.isfinite(wanted).all()


def test_policy_waits_while_no_ticker_has_a_forecast(payload: bytes) -> None:
    view, policy = MARKET.until(400), PPOPolicy(payload, TICKERS, 0.2)
    none = np.full_like(view.forecasts, np.nan)
    assert policy.decide(replace(view, forecasts=none), HELD) is None
    none[-1, 1] = 0.01
    assert policy.decide(replace(view, forecasts=none), HELD) is not None


def test_batch_equals_single_observations_in_any_process_state(payload: bytes) -> None:
    raw = raw_observation(MARKET.forecasts[300:340], np.tile(HELD, (40, 1)))
    first, second = PPOPolicy(payload, TICKERS, 0.2), PPOPolicy(payload, TICKERS, 0.2)
    single = np.vstack([first.act(row[None]) for row in raw])
    np.testing.assert_allclose(second.act(raw), single, atol=1e-6, rtol=0)
    np.testing.assert_array_equal(np.vstack([second.act(row[None]) for row in raw]), single)


@pytest.mark.parametrize("broken", [b"", b"x", b"\x08\x08garbage", None, "half"])
def test_payload_that_is_no_graph_is_refused(payload: bytes, broken: bytes | str | None) -> None:
    data = broken if isinstance(broken, bytes) else payload[: len(payload) // 2 if broken else 40]
    with pytest.raises(ModelError, match=r"no ONNX graph that can be run.*Train its window anew"):
        PPOPolicy(data, TICKERS, 0.2)


@pytest.mark.parametrize("tickers", [1, 2, 4])
def test_graph_of_another_number_of_tickers_is_refused(payload: bytes, tickers: int) -> None:
    with pytest.raises(ModelError, match=rf"expected observation of {2 * tickers} .*anew"):
        PPOPolicy(payload, tickers, 0.2)


def test_graph_of_something_else_is_refused() -> None:
    def float_info(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2 * TICKERS])

    identity = helper.make_node("Identity", [OBSERVATION], [ACTION])
    graph = helper.make_graph([identity], "other", [float_info(OBSERVATION)], [float_info(ACTION)])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    with pytest.raises(ModelError, match=r"gives \{'action': 6\}; expected .* action of 3"):
        PPOPolicy(model.SerializeToString(), TICKERS, 0.2)


def test_serving_needs_neither_torch_nor_stable_baselines3(payload: bytes, tmp_path: Path) -> None:
    (tmp_path / "policy.onnx").write_bytes(payload)
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from odyssey_assets.portfolio.learned import learned_contenders\n"
        "from odyssey_assets.portfolio.training import train_windows\n"
        "from odyssey_assets.portfolio.policies.ppo import PPOPolicy\n"
        f"payload = Path({str(tmp_path / 'policy.onnx')!r}).read_bytes()\n"
        f"PPOPolicy(payload, {TICKERS}, 0.2).act(np.zeros((1, {2 * TICKERS}), np.float32))\n"
        "slow = ('torch', 'stable_baselines3', 'gymnasium', 'onnx', 'mlflow')\n"
        "print([name for name in slow if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""

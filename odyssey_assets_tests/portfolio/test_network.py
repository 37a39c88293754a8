import numpy as np
import pytest
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from odyssey_assets.portfolio.environment import spaces_of
from odyssey_assets.portfolio.network import GaussianPolicy, ShuffledRollouts

TICKERS, BATCH, STEPS, COPIES = 3, 40, 6, 4
OBSERVATIONS, ACTIONS = spaces_of(TICKERS)


def _policies() -> tuple[GaussianPolicy, ActorCriticPolicy]:
    """Return ours and the one it replaces, with the same weights."""

    def rate(_: float) -> float:
        return 1e-3

    torch.manual_seed(0)
    ours = GaussianPolicy(OBSERVATIONS, ACTIONS, rate)
    theirs = ActorCriticPolicy(OBSERVATIONS, ACTIONS, rate)
    with torch.no_grad():
        ours.log_std.copy_(torch.tensor([-1.0, 0.2, 0.5]))
        for weights in ours.action_net.parameters():
            weights.mul_(50)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(BATCH, 2 * TICKERS, generator=generator),
        torch.randn(BATCH, TICKERS, generator=generator),
    )


def test_values_likelihoods_and_entropies_equal_those_of_the_policy_replaced() -> None:
    ours, theirs = _policies()
    observations, actions = _batch()
    for found, expected in zip(
        ours.evaluate_actions(observations, actions),
        theirs.evaluate_actions(observations, actions),
        strict=True,
    ):
        assert found is not None
        assert expected is not None
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected)


def test_gradients_equal_those_of_the_policy_replaced() -> None:
    gradients = []
    for policy in _policies():
        values, likelihoods, entropies = policy.evaluate_actions(*_batch())
        assert entropies is not None
        loss = values.mean() + 2 * likelihoods.mean() + 3 * entropies.mean()
        names, weights = zip(*policy.named_parameters(), strict=True)
        gradients.append(dict(zip(names, torch.autograd.grad(loss, weights), strict=True)))
    for name, expected in gradients[1].items():
        torch.testing.assert_close(gradients[0][name], expected, msg=name)


def test_most_likely_action_equals_that_of_the_policy_replaced() -> None:
    ours, theirs = _policies()
    observations, _ = _batch()
    for found, expected in zip(
        ours(observations, deterministic=True),
        theirs(observations, deterministic=True),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)
    found, expected = (
        one.predict(observations.numpy(), deterministic=True)[0] for one in (ours, theirs)
    )
    assert found.tobytes() == expected.tobytes()


def test_sampled_actions_have_the_likelihood_and_spread_they_claim() -> None:
    ours, _ = _policies()
    observations = _batch()[0][:1].expand(20_000, -1)
    torch.manual_seed(2)
    with torch.no_grad():
        actions, values, likelihoods = ours(observations)
        expected = ours.evaluate_actions(observations, actions)
    torch.testing.assert_close(likelihoods, expected[1])
    torch.testing.assert_close(values, expected[0])
    spread = ours.log_std.exp().detach()
    torch.testing.assert_close(actions.std(dim=0), spread, rtol=0.03, atol=0)


def _filled(kind: type[RolloutBuffer]) -> RolloutBuffer:
    buffer = kind(STEPS, OBSERVATIONS, ACTIONS, "cpu", n_envs=COPIES)
    generator = np.random.default_rng(3)
    for _ in range(STEPS):
        figures = torch.from_numpy(generator.normal(size=(2, COPIES)).astype(np.float32))
        buffer.add(
            generator.normal(size=(COPIES, 2 * TICKERS)),
            generator.normal(size=(COPIES, TICKERS)),
            generator.normal(size=COPIES),
            np.zeros(COPIES),
            figures[0],
            figures[1],
        )
    buffer.compute_returns_and_advantage(torch.zeros(COPIES), np.zeros(COPIES))
    return buffer


@pytest.mark.parametrize("batch_size", [None, 5, 24, 100])
def test_batches_equal_those_of_the_buffer_replaced(batch_size: int | None) -> None:
    def epochs(kind: type[RolloutBuffer]) -> list[RolloutBufferSamples]:
        buffer = _filled(kind)
        np.random.seed(7)  # noqa: NPY002 (the generator that both shuffle with)
        return [one for _ in range(2) for one in buffer.get(batch_size)]

    ours, theirs = epochs(ShuffledRollouts), epochs(RolloutBuffer)
    assert len(ours) == len(theirs)
    for found, expected in zip(ours, theirs, strict=True):
        for own, other in zip(found, expected, strict=True):
            torch.testing.assert_close(own, other, rtol=0, atol=0)

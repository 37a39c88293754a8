-- description: How each training of a policy went, one row a checkpoint.
-- grain: window, policy, seed, steps
select
    training_curves."window",
    training_curves.policy,
    training_curves.seed,
    training_curves.steps,
    training_curves.mean_reward,
    training_curves.validation_sharpe,
    training_curves.validation_return,
    training_curves.validation_turnover,
    training_curves.is_selected
from portfolio.training_curves as training_curves

"""The tables of `portfolio`: trained policies, how they learned, what each holds, who competes."""

from odyssey_assets.contracts import Column, TableContract

POLICY_STATUSES = ("trained", "skipped")

_WINDOW = Column("window", "DATE", "First day of the half-year window the policy decides in.")
_POLICY = Column("policy", "VARCHAR", "Name of the policy in the catalog.")
_SEED = Column("seed", "BIGINT", "Seed of the training.", minimum=0)


def _if_trained(name: str, kind: str, description: str, **limits: float) -> Column:
    return Column(
        name,
        kind,  # type: ignore[arg-type]  # one of the column types
        f"{description}; null if skipped.",
        is_nullable=True,
        **limits,  # type: ignore[arg-type]  # minimum and maximum only
    )


POLICIES = TableContract(
    schema="portfolio",
    name="policies",
    description=(
        "One training a window, learned policy and seed: what it learned from, which checkpoint "
        "validation chose, and the signed model that decides in the window. Rules learn nothing "
        "and have no rows."
    ),
    grain=("window", "policy", "seed"),
    columns=(
        _WINDOW,
        _POLICY,
        _SEED,
        Column("is_main_seed", "BOOLEAN", "Whether this training decides; others show the spread."),
        Column("status", "VARCHAR", "Whether a model exists.", allowed=POLICY_STATUSES),
        Column("reason", "VARCHAR", "Why it was skipped; null if trained.", is_nullable=True),
        _if_trained("train_start", "DATE", "First session learned from"),
        _if_trained("train_end", "DATE", "Last session learned from"),
        _if_trained("valid_start", "DATE", "First session of the half year that validates"),
        _if_trained("valid_end", "DATE", "Last session of that half year, before the window"),
        Column("steps", "BIGINT", "Environment steps of this training.", minimum=0),
        _if_trained("selected_steps", "BIGINT", "Steps after which validation chose", minimum=0),
        _if_trained("validation_sharpe", "DOUBLE", "Annualised, after costs, chosen checkpoint"),
        _if_trained("training_reward", "DOUBLE", "Mean reward a step at the chosen checkpoint"),
        _if_trained("hyperparameters", "VARCHAR", "JSON"),
        _if_trained("threads", "BIGINT", "Threads of the training process", minimum=1),
        Column(
            "warm_start_sha256",
            "VARCHAR",
            "SHA-256 of the model it started from; null where it started from nothing.",
            is_nullable=True,
        ),
        _if_trained("data_sha256", "VARCHAR", "SHA-256 of the prices and forecasts learned from"),
        _if_trained("model_name", "VARCHAR", "Name in the store of signed models, parts by /"),
        _if_trained("model_sha256", "VARCHAR", "SHA-256 of the stored model"),
        Column("mlflow_run_id", "VARCHAR", "MLflow run.", is_nullable=True, is_audit=True),
    ),
    date_column="window",
    ticker_column=None,
)

TRAINING_CURVES = TableContract(
    schema="portfolio",
    name="training_curves",
    description="How each training went, one row a checkpoint; steps 0 is the warm start itself.",
    grain=("window", "policy", "seed", "steps"),
    columns=(
        _WINDOW,
        _POLICY,
        _SEED,
        Column("steps", "BIGINT", "Environment steps taken.", minimum=0),
        Column(
            "mean_reward",
            "DOUBLE",
            "Mean reward a step since the last checkpoint; null before the first step.",
            is_nullable=True,
        ),
        Column(
            "validation_sharpe",
            "DOUBLE",
            "Annualised Sharpe ratio after costs on the validation half year; null where returns "
            "do not vary.",
            is_nullable=True,
        ),
        Column("validation_return", "DOUBLE", "Total return after costs there, fraction."),
        Column(
            "validation_turnover", "DOUBLE", "Traded value / equity, a session, there.", minimum=0
        ),
        Column("is_selected", "BOOLEAN", "Whether validation chose this checkpoint."),
    ),
    date_column="window",
    ticker_column=None,
)

WEIGHTS = TableContract(
    schema="portfolio",
    name="weights",
    description=(
        "What each policy holds at the close of a session and wants from the next open on, for "
        "every ticker listed by then. Decided with what was known at that close."
    ),
    grain=("policy", "date", "ticker"),
    columns=(
        _POLICY,
        Column("date", "DATE", "Session at whose close the target was decided."),
        Column("ticker", "VARCHAR", "Ticker symbol as the settings name it."),
        _WINDOW,
        Column("is_decision", "BOOLEAN", "Whether the policy decided anew at this close."),
        Column(
            "target_weight",
            "DOUBLE",
            "Share of equity wanted by the last decision, inside all limits, fraction.",
            minimum=0,
            maximum=1,
        ),
        Column(
            "held_weight", "DOUBLE", "Share of equity held at this close.", minimum=0, maximum=1
        ),
        Column("is_halted", "BOOLEAN", "No bar this session: the position cannot be changed."),
        Column(
            "target_weight_seed_std",
            "DOUBLE",
            "Standard deviation of the target over independently trained seeds; null for a rule "
            "and where only one seed was trained.",
            is_nullable=True,
            minimum=0,
        ),
        Column("seed_count", "BIGINT", "Trainings behind the target; 0 for a rule.", minimum=0),
        Column(
            "model_sha256",
            "VARCHAR",
            "SHA-256 of the model that decided; null for a rule.",
            is_nullable=True,
        ),
    ),
    ticker_column=None,
)

SEED_PATHS = TableContract(
    schema="portfolio",
    name="seed_paths",
    description=(
        "The path of every independently trained seed of a learned policy, after costs; in windows "
        "for which a seed was not trained it does what the main seed does."
    ),
    grain=("policy", "seed", "date"),
    columns=(
        _POLICY,
        _SEED,
        Column("date", "DATE", "Session in New York."),
        _WINDOW,
        Column("equity", "DOUBLE", "Value at the close, USD.", minimum=0),
        Column("return", "DOUBLE", "Equity / equity at the close before - 1.", minimum=-1),
        Column("is_main_seed", "BOOLEAN", "Whether this is the seed that decides."),
        Column("is_own_training", "BOOLEAN", "Whether this seed was trained for this window."),
    ),
    ticker_column=None,
)

TABLES = (POLICIES, TRAINING_CURVES, WEIGHTS, SEED_PATHS)

POLICY_CHALLENGERS = TableContract(
    schema="portfolio",
    name="policy_challengers",
    description=(
        "Every policy that was trained inside a window, from everything known at `trained_as_of`, "
        "to be held against the one that serves; a stand-in learned from less, so that there are "
        "sessions which neither has seen."
    ),
    grain=("policy", "requested_as_of", "role", "model_sha256"),
    columns=(
        _POLICY,
        Column("window", "DATE", "First day of the window in which it would serve."),
        Column("role", "VARCHAR", "What it is for.", allowed=("challenger", "stand_in")),
        Column("trained_as_of", "DATE", "Last session whose prices and forecasts it has seen."),
        Column("requested_as_of", "DATE", "Last session stored when it was asked for."),
        Column("train_start", "DATE", "First session learned from."),
        Column("train_end", "DATE", "Last session learned from."),
        Column("valid_start", "DATE", "First session of the half year that validates."),
        Column("valid_end", "DATE", "Last session of that half year."),
        Column("steps", "BIGINT", "Environment steps of this training.", minimum=0),
        Column("selected_steps", "BIGINT", "Steps after which validation chose.", minimum=0),
        Column(
            "validation_sharpe",
            "DOUBLE",
            "Annualised, after costs, chosen checkpoint; null where returns do not vary.",
            is_nullable=True,
        ),
        Column(
            "warm_start_sha256",
            "VARCHAR",
            "SHA-256 of the model it started from; null where it started from nothing.",
            is_nullable=True,
        ),
        Column("data_sha256", "VARCHAR", "SHA-256 of the prices and forecasts learned from."),
        Column("model_name", "VARCHAR", "Name in the store of signed models, parts by /."),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model."),
        Column("mlflow_run_id", "VARCHAR", "MLflow run.", is_nullable=True, is_audit=True),
        Column("recorded_at", "TIMESTAMP", "UTC moment of the training.", is_audit=True),
    ),
    date_column="window",
    ticker_column=None,
    is_append_only=True,
)

TRIAL_ROLES = ("serving", "challenger", "stand_in", "predecessor")

POLICY_TRIALS = TableContract(
    schema="portfolio",
    name="policy_trials",
    description=(
        "What the portfolio of a learned policy earned in its newest window, and what the same "
        "portfolio would have earned had another version decided from a session on: a challenger, "
        "its stand-in, or whoever served before a promotion. All are rolled from the same prices "
        "in one go, switching costs included: what promotions and rollbacks are judged on."
    ),
    grain=("policy", "role", "model_sha256", "serves_after", "date"),
    columns=(
        _POLICY,
        _WINDOW,
        Column("role", "VARCHAR", "Whose portfolio it is.", allowed=TRIAL_ROLES),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model that decided."),
        Column("serves_after", "DATE", "It decides at closes after this day."),
        Column("date", "DATE", "Session that the return is of; decided at the close before."),
        Column("return", "DOUBLE", "Equity / equity at the close before - 1.", minimum=-1),
        Column("equity", "DOUBLE", "Value at the close, USD.", minimum=0),
    ),
    ticker_column=None,
)

VERSION_TABLES = (POLICY_CHALLENGERS, POLICY_TRIALS)

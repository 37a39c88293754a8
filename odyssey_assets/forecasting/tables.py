"""The tables of `forecasting`: folds with their scores, forecasts, and what drove them."""

from odyssey_assets.contracts import Column, TableContract

FOLD_STATUSES = ("trained", "skipped")

_TICKER = Column("ticker", "VARCHAR", "Ticker symbol as the settings name it.")
_WINDOW = Column("window", "DATE", "First day of the half-year window the fold is tested on.")
_MODEL = Column("model", "VARCHAR", "Name of the forecaster in the catalog.")


def _boundary(name: str, description: str) -> Column:
    return Column(name, "DATE", f"{description}; null for a skipped fold.", is_nullable=True)


def _score(
    name: str, description: str, minimum: float | None = None, maximum: float | None = None
) -> Column:
    return Column(
        name,
        "DOUBLE",
        f"{description}; null where it cannot be computed.",
        is_nullable=True,
        minimum=minimum,
        maximum=maximum,
    )


FOLDS = TableContract(
    schema="forecasting",
    name="folds",
    description=(
        "One walk-forward fold a ticker, window and model: what it learned from, and how its own "
        "forecasts did on sessions it had not seen and whose outcome is known, whoever served."
    ),
    grain=("ticker", "window", "model"),
    columns=(
        _TICKER,
        _WINDOW,
        _MODEL,
        Column("status", "VARCHAR", "Whether a model exists.", allowed=FOLD_STATUSES),
        Column("reason", "VARCHAR", "Why the fold was skipped; null if trained.", is_nullable=True),
        Column("horizon_sessions", "BIGINT", "Sessions ahead that are forecast.", minimum=1),
        _boundary("train_start", "First session learned from"),
        _boundary("train_end", "Last session learned from, purged and embargoed"),
        _boundary("valid_start", "First session validated on"),
        _boundary("valid_end", "Last session validated on, purged and embargoed"),
        _boundary("test_start", "First session forecast"),
        _boundary("test_end", "Last session forecast"),
        Column("train_rows", "BIGINT", "Labelled sessions learned from.", minimum=0),
        Column("valid_rows", "BIGINT", "Labelled sessions validated on.", minimum=0),
        Column("test_rows", "BIGINT", "Sessions forecast.", minimum=0),
        Column(
            "scored_rows", "BIGINT", "Forecasts whose outcome is known; the scores' sample size."
        ),
        Column(
            "best_iteration",
            "BIGINT",
            "Boosting round with the least validation error, from 0; null for models without.",
            is_nullable=True,
            minimum=0,
        ),
        Column("feature_count", "BIGINT", "Features the model uses.", minimum=0),
        _score("rmse", "Root mean squared error of the forecast return", minimum=0),
        _score("r2", "1 - squared error / squared deviation from the test mean", maximum=1),
        _score("direction_accuracy", "Share of forecasts with the outcome's sign", 0, 1),
        _score("information_coefficient", "Spearman rank correlation with the outcome", -1, 1),
        _score("hit_rate", "Share of sessions on which the sign strategy gained after costs", 0, 1),
        _score("sharpe", "Annualised Sharpe ratio of the sign strategy after costs"),
        _score("interval_coverage", "Share of outcomes inside the stated interval", 0, 1),
        _score(
            "valid_information_coefficient",
            "Rank correlation with the outcome on its validation sessions: what it promised",
            -1,
            1,
        ),
        Column(
            "data_sha256",
            "VARCHAR",
            "SHA-256 of the training and validation rows the model learned from.",
            is_nullable=True,
        ),
        Column(
            "model_name",
            "VARCHAR",
            "Name in the store of signed models, parts by /; null for a skipped fold.",
            is_nullable=True,
        ),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model.", is_nullable=True),
        Column("mlflow_run_id", "VARCHAR", "MLflow run.", is_nullable=True, is_audit=True),
    ),
    date_column="window",
)

PREDICTIONS = TableContract(
    schema="forecasting",
    name="predictions",
    description=(
        "Out-of-sample forecasts only: made at the close of `date` by a model that had learned "
        "from nothing later than `trained_as_of`, which lies before `date`."
    ),
    grain=("ticker", "date", "window", "model", "horizon"),
    columns=(
        _TICKER,
        Column("date", "DATE", "Session at whose close the forecast was made."),
        _WINDOW,
        _MODEL,
        Column("horizon", "BIGINT", "Sessions ahead.", minimum=1),
        Column("prediction", "DOUBLE", "Forecast return over the horizon, fraction."),
        Column("lower", "DOUBLE", "Lower end of the conformal interval, fraction."),
        Column("upper", "DOUBLE", "Upper end of the conformal interval, fraction."),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model that forecast."),
        Column("trained_as_of", "DATE", "Last session whose data the model had seen."),
    ),
)

FEATURE_IMPORTANCE = TableContract(
    schema="forecasting",
    name="feature_importance",
    description=(
        "The features that drove each fold's model most, by mean absolute SHAP value on its "
        "validation sessions."
    ),
    grain=("ticker", "window", "model", "feature"),
    columns=(
        _TICKER,
        _WINDOW,
        _MODEL,
        Column("feature", "VARCHAR", "Name of the feature."),
        Column("gain", "DOUBLE", "Mean training gain of its splits; 0 if unused.", minimum=0),
        Column("mean_abs_shap", "DOUBLE", "Mean absolute SHAP value, return units.", minimum=0),
        Column("rank", "BIGINT", "1 is the largest mean absolute SHAP value.", minimum=1),
    ),
    date_column="window",
)

TABLES = (FOLDS, PREDICTIONS, FEATURE_IMPORTANCE)

ROLES = ("fold", "challenger", "stand_in")

CHALLENGERS = TableContract(
    schema="forecasting",
    name="challengers",
    description=(
        "Every model that was fitted inside a window, from everything known at `trained_as_of`, to "
        "be held against the one that serves; a stand-in learned from less, so that there are "
        "sessions which neither has seen."
    ),
    grain=("model_name",),
    columns=(
        _TICKER,
        _WINDOW,
        _MODEL,
        Column("role", "VARCHAR", "What it is for.", allowed=("challenger", "stand_in")),
        Column("trained_as_of", "DATE", "Last session whose data it has seen."),
        Column("requested_as_of", "DATE", "Last session stored when it was asked for."),
        Column("horizon_sessions", "BIGINT", "Sessions ahead that are forecast.", minimum=1),
        Column("train_start", "DATE", "First session learned from."),
        Column("train_end", "DATE", "Last session learned from, purged and embargoed."),
        Column("valid_start", "DATE", "First session validated on."),
        Column("valid_end", "DATE", "Last session validated on, its outcome known."),
        Column("train_rows", "BIGINT", "Labelled sessions learned from.", minimum=0),
        Column("valid_rows", "BIGINT", "Labelled sessions validated on.", minimum=0),
        Column("feature_count", "BIGINT", "Features the model uses.", minimum=0),
        _score("valid_information_coefficient", "Rank correlation on its validation", -1, 1),
        Column("interval_coverage", "DOUBLE", "Share its interval was made for.", minimum=0),
        Column("data_sha256", "VARCHAR", "SHA-256 of the rows it learned from."),
        Column("model_name", "VARCHAR", "Name in the store of signed models, parts by /."),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model."),
        Column("mlflow_run_id", "VARCHAR", "MLflow run.", is_nullable=True, is_audit=True),
        Column("recorded_at", "TIMESTAMP", "UTC moment of the fit.", is_audit=True),
    ),
    date_column="window",
    is_append_only=True,
)

TRIALS = TableContract(
    schema="forecasting",
    name="trials",
    description=(
        "Forecasts of every version of a ticker's model side by side, each only of sessions after "
        "its training: what promotions and rollbacks are judged on."
    ),
    grain=("ticker", "date", "model_sha256"),
    columns=(
        _TICKER,
        Column("date", "DATE", "Session at whose close the forecast holds."),
        _WINDOW,
        _MODEL,
        Column("role", "VARCHAR", "Whose forecast it is.", allowed=ROLES),
        Column("horizon", "BIGINT", "Sessions ahead.", minimum=1),
        Column("prediction", "DOUBLE", "Forecast return over the horizon, fraction."),
        Column("lower", "DOUBLE", "Lower end of the conformal interval, fraction."),
        Column("upper", "DOUBLE", "Upper end of the conformal interval, fraction."),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model that forecast."),
        Column("trained_as_of", "DATE", "Last session whose data the model had seen."),
        Column("recorded_at", "TIMESTAMP", "UTC moment of the entry.", is_audit=True),
    ),
    is_append_only=True,
)

VERSION_TABLES = (CHALLENGERS, TRIALS)

"""The tables of `monitoring` that follow from data: drift, its verdicts, and quality.

All are pure functions of stored tables, by window and mostly by ticker, and are rebuilt with them.
What happened once and must never be forgotten (retrainings, promotions, lineage) belongs to
`ledgers`.
"""

from odyssey_assets.contracts import Column, TableContract

METHODS = ("psi", "ks", "jensen_shannon", "wasserstein")
STATUSES = ("measured", "too_few_sessions", "no_model")
SEVERITIES = ("none", "minor", "major")
JUDGES = ("evidently", "scores", "nobody")
PREDICTION = "prediction"

_TICKER = Column("ticker", "VARCHAR", "Ticker symbol as the settings name it.")
_WINDOW = Column("window", "DATE", "First day of the half-year window that is looked at.")
_AS_OF = Column(
    "as_of",
    "DATE",
    "Last session of the sample: every 21st session of the window, and its last one so far.",
)
_MODEL = Column(
    "model_sha256", "VARCHAR", "SHA-256 of the model that serves; null: none.", is_nullable=True
)
_SESSIONS = Column("sessions", "BIGINT", "Sessions of the window in the sample.", minimum=0)


def _figure(name: str, description: str, **limits: float) -> Column:
    return Column(
        name,
        "DOUBLE",
        f"{description}; null where it cannot be computed.",
        is_nullable=True,
        **limits,  # type: ignore[arg-type]  # minimum and maximum only
    )


DRIFT = TableContract(
    schema="monitoring",
    name="drift",
    description=(
        "How far a window's sample of one feature (or of the forecasts) lies from what the serving "
        "model learned from, by four methods, beside the threshold that the ticker's own past sets."
    ),
    grain=("ticker", "window", "as_of", "feature", "method"),
    columns=(
        _TICKER,
        _WINDOW,
        _AS_OF,
        Column("feature", "VARCHAR", f"Name of the feature, or `{PREDICTION}`."),
        Column("method", "VARCHAR", "How distance is measured.", allowed=METHODS),
        _SESSIONS,
        Column("reference_rows", "BIGINT", "Rows learned from that the sample is held against."),
        _figure("score", "Distance of the sample from the reference", minimum=0),
        _figure(
            "p_value",
            "Probability of such a score or a larger one if the window were like the ticker's "
            "earlier ones, scaled so that all looks of a window keep the false-alarm rate",
            minimum=0,
            maximum=1,
        ),
        _figure(
            "threshold",
            "Score above which the feature counts as drifted, at this false discovery rate",
            minimum=0,
        ),
        Column("past_scores", "BIGINT", "Earlier scores that the threshold rests on.", minimum=0),
        Column(
            "is_input",
            "BOOLEAN",
            "Whether the serving model was given the feature to learn from, or makes it.",
        ),
        Column("is_drifted", "BOOLEAN", "Whether the score lies above its threshold."),
        _MODEL,
    ),
    date_column="window",
)

DRIFT_SUMMARY = TableContract(
    schema="monitoring",
    name="drift_summary",
    description=(
        "Whether a ticker's window still looks like what its model learned from: one verdict over "
        "the model's own features and forecasts, with the false-alarm rate of the settings."
    ),
    grain=("ticker", "window", "as_of"),
    columns=(
        _TICKER,
        _WINDOW,
        _AS_OF,
        Column("status", "VARCHAR", "Whether there is a verdict.", allowed=STATUSES),
        Column("reason", "VARCHAR", "Why there is none; null if measured.", is_nullable=True),
        Column("judged_by", "VARCHAR", "Who gave the verdict.", allowed=JUDGES),
        _SESSIONS,
        Column("inputs", "BIGINT", "Features the model was given, and its forecasts.", minimum=0),
        Column("drifted_inputs", "BIGINT", "Those that drifted.", minimum=0),
        _figure("share_drifted", "Share of the inputs that drifted", minimum=0, maximum=1),
        _figure("smallest_p_value", "Of the inputs", minimum=0, maximum=1),
        _figure("share_psi_above_0_1", "Share of inputs, customary line", minimum=0, maximum=1),
        _figure("share_psi_above_0_2", "Share of inputs, customary line", minimum=0, maximum=1),
        Column("strongest_feature", "VARCHAR", "Input of the smallest p-value.", is_nullable=True),
        Column("is_drifted", "BOOLEAN", "The verdict."),
        Column("severity", "VARCHAR", "How much drifted.", allowed=SEVERITIES),
        _MODEL,
        Column(
            "report_path",
            "VARCHAR",
            "Report for people below the home's reports; null if none was written.",
            is_nullable=True,
            is_audit=True,
        ),
    ),
    date_column="window",
)


def _rolling() -> tuple[Column, ...]:
    return tuple(
        column
        for sessions in (20, 60)
        for column in (
            Column(
                f"known_{sessions}",
                "BIGINT",
                f"Known outcomes among the last {sessions}.",
                minimum=0,
            ),
            _figure(
                f"information_coefficient_{sessions}",
                "Spearman rank correlation",
                minimum=-1,
                maximum=1,
            ),
            _figure(f"rmse_{sessions}", "Of the forecast", minimum=0),
            _figure(f"baseline_rmse_{sessions}", "Of the historical mean", minimum=0),
            _figure(f"direction_accuracy_{sessions}", "Share of right signs", minimum=0, maximum=1),
            _figure(
                f"interval_coverage_{sessions}", "Share inside the interval", minimum=0, maximum=1
            ),
            _figure(f"sharpe_{sessions}", "Annualised, of the sign strategy after costs"),
        )
    )


FORECAST_QUALITY = TableContract(
    schema="monitoring",
    name="forecast_quality",
    description=(
        "How good the forecasts that policies see were lately, from outcomes that were known at "
        "the close of `date`, beside what its validation promised."
    ),
    grain=("ticker", "date"),
    columns=(
        _TICKER,
        Column("date", "DATE", "Session at whose close the figures were known."),
        Column("window", "DATE", "First day of the window that holds the session."),
        *_rolling(),
        _figure(
            "expected_information_coefficient",
            "Of the serving model's validation",
            minimum=-1,
            maximum=1,
        ),
        _figure("expected_coverage", "Share the interval was made for", minimum=0, maximum=1),
        _figure(
            "information_coefficient_floor",
            "60 sessions: decayed below this, which is below the promise and beyond chance",
            minimum=-1,
            maximum=1,
        ),
        _figure("coverage_floor", "60 sessions: decayed below this", minimum=0, maximum=1),
        _figure("coverage_ceiling", "60 sessions: decayed above this", minimum=0, maximum=2),
        _figure("sharpe_floor", "60 sessions: decayed below this"),
        Column(
            "is_correlation_decayed",
            "BOOLEAN",
            "60 sessions: below the set share of the expected, beyond chance.",
        ),
        Column(
            "is_coverage_decayed",
            "BOOLEAN",
            "60 sessions: off by more than the set points, beyond chance.",
        ),
        Column("is_sharpe_decayed", "BOOLEAN", "60 sessions: below the setting, beyond chance."),
        _MODEL,
    ),
)

POLICY_QUALITY = TableContract(
    schema="monitoring",
    name="policy_quality",
    description=(
        "How good the portfolio of each learned policy was lately, after costs, at the close of "
        "`date`, beside equal weight and what the validation of its model promised."
    ),
    grain=("policy", "date"),
    columns=(
        Column("policy", "VARCHAR", "Name of the policy in the catalog."),
        Column("date", "DATE", "Session at whose close the figures were known."),
        Column("window", "DATE", "First day of the window that holds the session."),
        _figure("sharpe_20", "Annualised Sharpe ratio after costs, the last 20 sessions"),
        _figure("sharpe_60", "The same of the last 60"),
        _figure("equal_weight_sharpe_60", "The same of equal weight, the same 60 sessions"),
        _figure("expected_sharpe", "Of the deciding model's validation half year"),
        _figure("sharpe_floor", "60 sessions: decayed below this, which is beyond chance"),
        Column("is_sharpe_decayed", "BOOLEAN", "60 sessions: below the setting, beyond chance."),
        _MODEL,
    ),
    ticker_column=None,
)

TABLES = (DRIFT, DRIFT_SUMMARY, FORECAST_QUALITY, POLICY_QUALITY)

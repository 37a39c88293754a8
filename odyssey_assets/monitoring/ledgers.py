"""The ledgers of `monitoring`: what happened, in rows that are only ever added.

Nothing here follows from the data alone: when a retraining was asked for, who promoted what, which
vendor answer stood behind a weight. The order of a ledger is its `recorded_at`.
"""

from odyssey_assets.contracts import Column, TableContract

CAUSES = ("drift", "decay", "data_quality", "new_window", "schedule", "person")
STATES = ("requested", "suppressed", "reingesting", "started", "finished")
OUTCOMES = (
    "promoted", "rejected", "pending", "unchanged_data", "cooling_down", "over_budget", "failed",
)  # fmt: skip
KINDS = ("forecaster", "policy")
DECISIONS = ("promoted", "rejected", "pending", "rolled_back", "succeeded", "unproven")
MODES = ("automatic", "shadow", "manual")

_RECORDED_AT = Column("recorded_at", "TIMESTAMP", "UTC moment of the entry.", is_audit=True)


def _optional(name: str, kind: str, description: str, *, is_audit: bool = False) -> Column:
    return Column(
        name,
        kind,  # type: ignore[arg-type]  # one of the column types
        f"{description}; null where there is none.",
        is_nullable=True,
        is_audit=is_audit,
    )


RETRAINING_EVENTS = TableContract(
    schema="monitoring",
    name="retraining_events",
    description=(
        "The life of every reason to retrain, one row a state it reached: what failed, for which "
        "ticker or policy and window, and what came of it."
    ),
    grain=("event_id", "state"),
    columns=(
        Column(
            "event_id",
            "VARCHAR",
            "Hash of check, ticker, window, session and value: one finding, one event.",
        ),
        Column("state", "VARCHAR", "State reached.", allowed=STATES),
        _RECORDED_AT,
        Column("ticker", "VARCHAR", "Ticker concerned, or name of the policy concerned."),
        Column("window", "DATE", "First day of the window concerned."),
        Column("as_of", "DATE", "Last session known when it was found."),
        Column("cause", "VARCHAR", "Kind of reason.", allowed=CAUSES),
        _optional("check", "VARCHAR", "Asset and name of the check that failed"),
        _optional("value", "DOUBLE", "Figure that the check found"),
        _optional("threshold", "DOUBLE", "Figure that it may not pass"),
        _optional("batch", "VARCHAR", "Run key of the request that this event is part of"),
        _optional("run_id", "VARCHAR", "Dagster run"),
        Column(
            "outcome",
            "VARCHAR",
            "What came of it; null until then.",
            is_nullable=True,
            allowed=OUTCOMES,
        ),
        _optional("reason", "VARCHAR", "The outcome in words"),
    ),
    date_column="window",
    is_append_only=True,
)


def _of_both(name: str, description: str) -> tuple[Column, Column]:
    return (
        _optional(f"challenger_{name}", "DOUBLE", f"Challenger's {description}"),
        _optional(f"incumbent_{name}", "DOUBLE", f"{description} of what it was held against"),
    )


PROMOTIONS = TableContract(
    schema="monitoring",
    name="promotions",
    description=(
        "Every decision about who serves: promotions, rejections, rollbacks, successions at a new "
        "window, with the figures behind it, all on sessions that neither model had seen."
    ),
    grain=("decision_id",),
    columns=(
        Column("decision_id", "VARCHAR", "Hash of what was decided about which model on what day."),
        _RECORDED_AT,
        Column("kind", "VARCHAR", "What is decided about.", allowed=KINDS),
        Column("subject", "VARCHAR", "Ticker of a forecaster, name of a policy."),
        Column("window", "DATE", "First day of the window in which it serves."),
        Column("as_of", "DATE", "Last session known when it was decided."),
        Column("decision", "VARCHAR", "What was decided.", allowed=DECISIONS),
        Column("is_champion", "BOOLEAN", "Whether the model holds the alias champion from now on."),
        _optional("serves_after", "DATE", "It serves sessions after this one; null: it does not"),
        Column("mode", "VARCHAR", "How promotions are decided.", allowed=MODES),
        Column("cause", "VARCHAR", "Why it was looked at.", allowed=CAUSES),
        Column("actor", "VARCHAR", "Who decided: `gate`, `schedule`, or a person's name."),
        _optional("event_id", "VARCHAR", "Entry in `monitoring.retraining_events`"),
        Column("model_name", "VARCHAR", "Name in the store of signed models, parts by /."),
        Column("model_version", "BIGINT", "Count of the subject's models, from 1.", minimum=1),
        Column("model_sha256", "VARCHAR", "SHA-256 of the stored model."),
        _optional("predecessor_name", "VARCHAR", "Model that served before"),
        _optional("predecessor_sha256", "VARCHAR", "Its SHA-256"),
        _optional("data_sha256", "VARCHAR", "SHA-256 of what the model learned from"),
        _optional(
            "held_against", "VARCHAR", "SHA-256 of the model, or the baseline, compared with"
        ),
        _optional("unseen_sessions", "BIGINT", "Sessions compared, with a known outcome"),
        _optional("first_unseen", "DATE", "First of them"),
        _optional("last_unseen", "DATE", "Last of them"),
        *_of_both("sharpe", "annualised Sharpe ratio after costs: sign strategy, or portfolio"),
        *_of_both("information_coefficient", "Spearman rank correlation with the outcome"),
        *_of_both("rmse", "root mean squared error"),
        _optional("p_value_worse", "DOUBLE", "Of the paired block bootstrap: small if worse"),
        Column("reason", "VARCHAR", "The decision in words."),
    ),
    date_column="window",
    ticker_column=None,
    is_append_only=True,
)

LINEAGE = TableContract(
    schema="monitoring",
    name="lineage",
    description=(
        "What stood behind every weight that a policy decided: its model, the forecast, the row of "
        "features, the bars and the vendor's answers. A restated past adds a row, and none is lost."
    ),
    grain=("lineage_sha256",),
    columns=(
        Column(
            "lineage_sha256",
            "VARCHAR",
            "SHA-256 of policy to bar_row_sha256; moment and answer follow from the bar's row.",
        ),
        _RECORDED_AT,
        Column("policy", "VARCHAR", "Name of the policy in the catalog."),
        Column("ticker", "VARCHAR", "Ticker symbol as the settings name it."),
        Column("date", "DATE", "Session at whose close the policy decided."),
        Column("target_weight", "DOUBLE", "Share of equity wanted."),
        _optional("policy_sha256", "VARCHAR", "SHA-256 of the policy's model; null for a rule"),
        _optional("forecast_model", "VARCHAR", "Name of the forecaster the policies see"),
        _optional("prediction", "DOUBLE", "Forecast return"),
        _optional("forecast_sha256", "VARCHAR", "SHA-256 of the model that forecast"),
        _optional("trained_as_of", "DATE", "Last session that model had seen"),
        _optional(
            "features_sha256",
            "VARCHAR",
            "SHA-256 of ticker, space, ISO date, and the row of features.features as little-endian "
            "doubles, nulls as the quiet NaN",
        ),
        _optional("bar_row_sha256", "VARCHAR", "row_sha256 in raw_bars of the session's bar"),
        _optional("bar_ingested_at", "TIMESTAMP", "When that vintage came in", is_audit=True),
        _optional("response_sha256", "VARCHAR", "SHA-256 of the vendor's answer", is_audit=True),
    ),
    is_append_only=True,
)

TABLES = (RETRAINING_EVENTS, PROMOTIONS, LINEAGE)

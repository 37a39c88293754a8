"""The tables of `features`: the declared features, the clip behind them, and the labels."""

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.spec import FeatureSpec

HORIZONS_SESSIONS = (1, 5, 20, 60)
DIRECTIONS = ("bearish", "neutral", "bullish")

_TICKER = Column("ticker", "VARCHAR", "Ticker symbol as the settings name it.")
_DATE = Column("date", "DATE", "Session in New York; the row is known at its close.")


def _feature_column(spec: FeatureSpec) -> Column:
    return Column(
        spec.name,
        "DOUBLE",
        f"{spec.formula} [{spec.source}; {spec.group}; lookback {spec.lookback} sessions"
        f"{'; level' if spec.is_level else ''}]",
        is_nullable=True,
        minimum=spec.minimum,
        maximum=spec.maximum,
    )


FEATURES_TABLE = TableContract(
    schema="features",
    name="features",
    description=(
        "The declared features of each ticker and session, from bars up to that session's close; "
        "null until the lookback is filled."
    ),
    grain=("ticker", "date"),
    columns=(_TICKER, _DATE, *(_feature_column(spec) for spec in FEATURES)),
)

CLIP_THRESHOLDS = TableContract(
    schema="features",
    name="clip_thresholds",
    description=(
        "Bounds by which a session's log return was clipped: mean and standard deviation of the "
        "ticker's own log returns before that session."
    ),
    grain=("ticker", "date"),
    columns=(
        _TICKER,
        _DATE,
        Column("log_return", "DOUBLE", "Unclipped adjusted log return.", is_nullable=True),
        Column(
            "lower_log_return", "DOUBLE", "Lower clip; null until it applies.", is_nullable=True
        ),
        Column(
            "upper_log_return", "DOUBLE", "Upper clip; null until it applies.", is_nullable=True
        ),
        Column("is_clipped", "BOOLEAN", "Whether the log return lay outside the bounds."),
    ),
)

LABELS = TableContract(
    schema="features",
    name="labels",
    description=(
        "What happened after each close; null until it is known. For training and scoring only: "
        "nothing that decides at t may read row t."
    ),
    grain=("ticker", "date"),
    columns=(
        _TICKER,
        Column("date", "DATE", "Session at whose close the forward return starts."),
        *(
            Column(
                f"forward_return_{horizon}d",
                "DOUBLE",
                f"Adjusted close {horizon} sessions later / adjusted close - 1; null until known.",
                is_nullable=True,
                minimum=-1.0,
            )
            for horizon in HORIZONS_SESSIONS
        ),
        Column(
            "direction_5d",
            "VARCHAR",
            "Class of forward_return_5d by the thresholds of the settings; null until known.",
            is_nullable=True,
            allowed=DIRECTIONS,
        ),
    ),
)

TABLES = (FEATURES_TABLE, CLIP_THRESHOLDS, LABELS)

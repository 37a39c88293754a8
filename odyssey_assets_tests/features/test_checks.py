"""The contract checks of the domain on stored rows: green as computed, red where out of range."""

from pathlib import Path

import dagster as dg

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.features.checks import feature_checks
from odyssey_assets.features.tables import FEATURES_TABLE, LABELS, TABLES
from odyssey_assets.infrastructure.partitions import build_grid
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    evaluate,
    found,
    tiny_settings,
    warehouse_of,
)

CHECK = "fulfils_its_contract"


def test_every_table_of_the_domain_has_its_contract_check(tiny_home: TinyHome) -> None:
    checks = feature_checks(build_grid(tiny_settings(tiny_home.root)))
    keys = {key for check in checks for key in check.check_keys}
    assert keys == {dg.AssetCheckKey(dg.AssetKey(list(table.key)), CHECK) for table in TABLES}


def test_computed_features_fulfil_their_contract(tiny_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(tiny_home.root), "features/features", CHECK)
    assert evaluation.passed
    assert found(evaluation)["rows_checked"] > 1000


def test_value_out_of_its_range_breaks_the_contract(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    bounded = next(column for column in FEATURES_TABLE.columns if column.maximum is not None)
    features = warehouse.read(FEATURES_TABLE)
    place = features.index[features["ticker"] == "SPY"][300]
    features.loc[place, bounded.name] = float(bounded.maximum or 0.0) + 1.0
    warehouse.replace(FEATURES_TABLE, features, (WHOLE_TABLE,))
    evaluation = evaluate(settings, "features/features", CHECK)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert bounded.name in str(found(evaluation))
    old = evaluate(settings, "features/features", CHECK, last=f"{WINDOWS[0]}|SPY")
    assert old.passed


def test_forward_return_below_total_loss_breaks_the_contract(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    labels = warehouse.read(LABELS)
    labels.loc[labels.index[10], "forward_return_1d"] = -1.5
    warehouse.replace(LABELS, labels, (WHOLE_TABLE,))
    assert not evaluate(settings, "features/labels", CHECK).passed

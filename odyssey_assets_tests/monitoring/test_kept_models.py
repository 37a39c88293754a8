"""Every model that a run stores is named by some table, so that maintenance leaves it alone."""

from pathlib import Path

import pandas as pd

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.kept_models import named_models
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.monitoring.retraining.found_events import NOW, promotion, promotions
from odyssey_assets_tests.portfolio.versions.planted_rows import CHALLENGER, plant
from odyssey_assets_tests.tiny_market import TinyHome


def test_models_that_served_before_are_named_too(tmp_path: Path) -> None:
    warehouse = Warehouse(Home(tmp_path), WarehouseSettings())
    assert named_models(warehouse) == frozenset()
    row = promotion("SPY", "promoted", NOW) | {"model_name": "a/b", "predecessor_name": "a/c"}
    warehouse.append(PROMOTIONS, promotions(row))
    assert named_models(warehouse) == {("a", "b"), ("a", "c")}
    assert pd.isna(promotion("SPY", "promoted", NOW)["predecessor_name"])


def test_altered_model_is_kept_for_whoever_finds_out_who_changed_it(tmp_path: Path) -> None:
    warehouse = Warehouse(Home(tmp_path), WarehouseSettings())
    row = promotion("SPY", "promoted", NOW) | {"model_name": f"a/b{MADE_ANEW}"}
    warehouse.append(PROMOTIONS, promotions(row))
    assert named_models(warehouse) == {("a", "b"), ("a", f"b{MADE_ANEW}")}


def test_challengers_of_a_policy_are_named_while_they_wait(tmp_path: Path) -> None:
    warehouse = Warehouse(Home(tmp_path), WarehouseSettings())
    plant(warehouse, POLICY_CHALLENGERS, CHALLENGER)
    assert named_models(warehouse) == {("policies", "ppo", "2022-01-01", "seed-42", "key")}


def test_run_stores_no_model_that_nothing_names(tiny_home: TinyHome) -> None:
    home = Home(tiny_home.root)
    store = ModelStore(home.models)
    named = named_models(Warehouse(home, WarehouseSettings()))
    folders = {name[0] for name in named}
    stored = {name for folder in folders for name in store.names((folder,))}
    assert {"xgboost", "historical_mean"} <= folders
    assert stored == named

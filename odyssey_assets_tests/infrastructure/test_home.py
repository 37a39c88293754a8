import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure.home import (
    UNIVERSE_FIELDS,
    Home,
    held_rules,
    held_source,
    home_of,
    load_settings,
    remember_universe,
    restore_universe,
    rules_of,
)
from odyssey_assets.settings import Settings, build_settings


@pytest.fixture(autouse=True)
def bare_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the variables and files of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("ODYSSEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def test_home_holds_everything_below_its_root(tmp_path: Path) -> None:
    home = Home(tmp_path)
    places = (
        home.warehouse, home.published, home.published_states, home.models, home.reports,
        home.tear_sheets, home.mlflow, home.tensorboard, home.dagster, home.universe,
        home.run_lock,
    )  # fmt: skip
    assert len(set(places)) == len(places)
    assert all(tmp_path in place.parents for place in places)
    assert home.tear_sheets.parent == home.reports, "reports are served from one folder"


def test_create_makes_all_folders_and_may_be_repeated(home: Home) -> None:
    home.create()
    for folder in (home.warehouse.parent, home.published_states, home.models, home.reports):
        assert folder.is_dir()
    for folder in (home.mlflow, home.tensorboard, home.dagster):
        assert folder.is_dir()


def test_create_below_a_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SettingsError, match=r"cannot be created.*ODYSSEY_HOME"):
        Home(tmp_path / "taken" / "home").create()


def test_create_in_a_home_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "models")
    with pytest.raises(SettingsError, match=r"cannot be written .*models"):
        Home(tmp_path).create()


def test_home_of_settings_is_absolute(tmp_path: Path) -> None:
    assert home_of(build_settings(home="here")).root == tmp_path / "here"
    assert home_of(build_settings(home="~/there")).root == Path.home() / "there"


def _remembered(home: Home) -> Settings:
    settings = build_settings(
        home=home.root, source="files", price_dir="prices", start="2012-01-01", end="2020-06-30",
        tickers="SPY,BIL", simulated={"seed": 7},
    )  # fmt: skip
    remember_universe(settings)
    return settings


def test_load_settings_fills_in_what_the_home_remembers(home: Home, tmp_path: Path) -> None:
    settings = _remembered(home)
    loaded = load_settings(home=home.root)
    assert loaded.source == "files"
    assert loaded.price_dir == tmp_path / "prices"
    assert loaded.macro_dir is None
    assert (loaded.start, loaded.end) == (date(2012, 1, 1), date(2020, 6, 30))
    assert loaded.tickers == ("SPY", "BIL")
    assert loaded.simulated.seed == 7
    remembered = loaded.model_dump(include=set(UNIVERSE_FIELDS) - {"price_dir"})
    assert remembered == settings.model_dump(include=set(UNIVERSE_FIELDS) - {"price_dir"})


def test_what_is_named_comes_before_what_is_remembered(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    _remembered(home)
    monkeypatch.setenv("ODYSSEY_TICKERS", "QQQ")
    loaded = load_settings(home=home.root, end=date(2021, 1, 1))
    assert loaded.tickers == ("QQQ",)
    assert loaded.end == date(2021, 1, 1)
    assert loaded.start == date(2012, 1, 1)


def test_memory_of_one_source_means_nothing_to_another(home: Home) -> None:
    _remembered(home)
    loaded = load_settings(home=home.root, source="simulated")
    assert loaded == build_settings(home=home.root, source="simulated")
    same = load_settings(home=home.root, source="files", price_dir="elsewhere")
    assert same.tickers == ("SPY", "BIL")
    assert same.price_dir == Path("elsewhere")


def test_folder_of_prices_is_remembered_where_only_the_source_is_named(
    home: Home, tmp_path: Path
) -> None:
    _remembered(home)
    assert load_settings(home=home.root, source="files").price_dir == tmp_path / "prices"


def test_source_of_files_without_a_folder_is_refused(home: Home) -> None:
    with pytest.raises(SettingsError, match=r"needs price_dir.*--price-dir"):
        load_settings(home=home.root, source="files")


def test_restore_universe_gives_the_former_memory_back(home: Home) -> None:
    assert remember_universe(build_settings(home=home.root, tickers="SPY")) is None
    first = home.universe.read_bytes()
    former = remember_universe(build_settings(home=home.root, tickers="QQQ"))
    assert former == first
    restore_universe(home, former)
    assert load_settings(home=home.root).tickers == ("SPY",)
    restore_universe(home, None)
    assert not home.universe.exists()


def test_load_settings_without_memory_are_those_named(home: Home) -> None:
    assert load_settings(home=home.root, seed=5) == build_settings(home=home.root, seed=5)


@pytest.mark.parametrize("content", ["", "{", "[1]", "3"])
def test_memory_that_cannot_be_read_is_refused_with_the_remedy(home: Home, content: str) -> None:
    home.universe.write_text(content)
    with pytest.raises(SettingsError, match=r"universe\.json .*Delete it"):
        load_settings(home=home.root)


def test_memory_of_unknown_fields_is_passed_over(home: Home) -> None:
    home.universe.write_text(json.dumps({"start": "2013-01-01", "workers": 3, "later": True}))
    loaded = load_settings(home=home.root)
    assert loaded.start == date(2013, 1, 1)
    assert loaded.workers is None


def test_remember_universe_replaces_the_memory_and_leaves_nothing_behind(home: Home) -> None:
    _remembered(home)
    remember_universe(build_settings(home=home.root))
    assert "end" not in json.loads(home.universe.read_text())
    assert [path.name for path in home.root.glob("universe*")] == ["universe.json"]


def test_held_source_is_that_of_the_last_full_run_that_succeeded(
    home: Home, tmp_path: Path
) -> None:
    simulated = build_settings(home=home.root, source="simulated")
    files = build_settings(home=home.root, source="files", price_dir=tmp_path)
    assert held_source(home) is None
    remember_universe(simulated)
    assert held_source(home) is None
    remember_universe(simulated, is_filled=True)
    assert held_source(home) == "simulated"
    remember_universe(simulated)
    assert held_source(home) == "simulated"
    remember_universe(files)
    assert held_source(home) is None


@pytest.mark.parametrize(
    "change",
    [
        {"costs": {"commission_bps": 9.0}},
        {"costs": {"max_participation": 0.2}},
        {"portfolio": {"capital_usd": 2e6}},
        {"portfolio": {"max_weight": 0.15}},
        {"portfolio": {"policies": ("equal_weight", "ppo")}},
        {"portfolio": {"ppo": {"gamma": 0.9}}},
        {"seed": 7},
        {"start": "2012-01-01"},
        {"tickers": "SPY,BIL"},
        {"proxy": "QQQ"},
        {"forecasting": {"horizon_sessions": 20}},
    ],
)
def test_rules_change_with_every_setting_that_windows_must_share(change: dict[str, Any]) -> None:
    assert rules_of(build_settings(**change)) != rules_of(build_settings())
    assert rules_of(build_settings(**change)) == rules_of(build_settings(**change))


def test_rules_stay_where_new_days_or_places_come(tmp_path: Path) -> None:
    later = build_settings(
        home=tmp_path, end="2030-01-01", workers=3, reports_port=0,
        warehouse={"keep_published": 9}, backtesting={"monte_carlo_paths": 20},
        forecasting={"importance_features": 5}, macro_series="VIX",
    )  # fmt: skip
    assert rules_of(later) == rules_of(build_settings())


def test_held_rules_are_those_of_the_last_full_run_that_succeeded(home: Home) -> None:
    first = build_settings(home=home.root)
    second = build_settings(home=home.root, costs={"slippage_bps": 1.0})
    assert held_rules(home) is None
    remember_universe(first)
    assert held_rules(home) is None, "the run has only begun"
    remember_universe(first, is_filled=True)
    assert held_rules(home) == rules_of(first)
    former = remember_universe(second)
    assert held_rules(home) == rules_of(first), "portfolios are still those of the first rules"
    remember_universe(second, is_filled=True)
    assert held_rules(home) == rules_of(second) != rules_of(first)
    restore_universe(home, former)
    assert held_rules(home) == rules_of(first)


def test_rules_are_no_setting_of_the_universe(home: Home) -> None:
    remember_universe(build_settings(home=home.root, seed=5), is_filled=True)
    assert load_settings(home=home.root).seed == build_settings().seed

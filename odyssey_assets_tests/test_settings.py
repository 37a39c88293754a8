import os
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from odyssey_assets.errors import SettingsError
from odyssey_assets.settings import DEFAULT_TICKERS, Settings, build_settings


@pytest.fixture(autouse=True)
def bare_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the variables and files of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("ODYSSEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_are_the_simulated_market_of_fifteen_tickers() -> None:
    settings = build_settings()
    assert settings.source == "simulated"
    assert settings.tickers == DEFAULT_TICKERS
    assert len(set(DEFAULT_TICKERS)) == 15
    assert settings.proxy in settings.tickers
    assert settings.forecasting.purge_sessions == 10
    assert settings.costs.proportional.rate == pytest.approx(0.0015)
    assert settings.model_fields_set == set()


def test_arguments_come_before_environment_before_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "odyssey.toml").write_text(
        'seed = 1\nstart = "2011-01-01"\nhome = "from_file"\n[costs]\nslippage_bps = 2\n'
    )
    monkeypatch.setenv("ODYSSEY_SEED", "2")
    monkeypatch.setenv("ODYSSEY_START", "2012-01-01")
    monkeypatch.setenv("ODYSSEY_COSTS__COMMISSION_BPS", "4")
    settings = build_settings(seed=3)
    assert settings.seed == 3
    assert settings.start == date(2012, 1, 1)
    assert settings.home == Path("from_file")
    assert (settings.costs.commission_bps, settings.costs.slippage_bps) == (4.0, 2.0)


def test_argument_of_none_is_not_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODYSSEY_SEED", "2")
    assert build_settings(seed=None).seed == 2


@pytest.mark.parametrize("tickers", ["aapl, msft ,BRK-B", ["aapl", "MSFT", "brk-b"]])
def test_tickers_are_read_from_text_or_list_in_capitals(tickers: object) -> None:
    assert build_settings(tickers=tickers).tickers == ("AAPL", "MSFT", "BRK-B")


def test_names_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODYSSEY_TICKERS", "SPY,QQQ")
    monkeypatch.setenv("ODYSSEY_MACRO_SERIES", "^VIX")
    settings = build_settings()
    assert settings.tickers == ("SPY", "QQQ")
    assert settings.macro_series == ("^VIX",)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"tickers": "AAPL,AAPL"}, "AAPL named more than once"),
        ({"tickers": "AA PL"}, "no tickers"),
        ({"tickers": "../AAPL"}, "no tickers"),
        ({"tickers": ""}, "tickers"),
        ({"tickers": 5}, "tickers"),
        ({"start": "2020-01-01", "end": "2019-12-31"}, "end 2019-12-31 is not after start"),
        ({"start": "2020-01-01", "end": "2020-01-01"}, "is not after start"),
        ({"source": "bloomberg"}, "source"),
        ({"start": "01.02.2020"}, "start"),
        ({"seed": -1}, "seed"),
        ({"workers": 0}, "workers"),
        ({"cleaning": {"anomaly_std": 0}}, "cleaning.anomaly_std"),
        ({"forecasting": {"horizon_sessions": 7}}, "forecasting.horizon_sessions"),
        ({"costs": {"tax_bps": 1}}, "costs.tax_bps"),
        ({"costs": {"max_participation": 0}}, "costs.max_participation"),
        ({"portfolio": {"max_invested": 0.9}}, "max_invested 0.9 and min_cash 0.2 contradict"),
        ({"portfolio": {"max_weight": 0.9}}, "max_weight 0.9 exceeds max_invested 0.8"),
        ({"portfolio": {"policies": ()}}, "policies must be named"),
        ({"portfolio": {"policies": ("ppo", "ppo")}}, "repeated: ['ppo']"),
        ({"portfolio": {"ppo": {"gamma": 1.5}}}, "portfolio.ppo.gamma"),
        ({"backtesting": {"block_sessions": 0}}, "backtesting.block_sessions"),
        ({"reports_port": 70_000}, "reports_port"),
        ({"tikers": "AAPL"}, "tikers"),
    ],
)
def test_unusable_settings_are_refused_with_their_name(
    overrides: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError, match="Settings are not usable") as caught:
        build_settings(**overrides)
    assert words in str(caught.value)
    assert "ODYSSEY_" in str(caught.value)


def test_every_unusable_setting_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"seed.*workers|workers.*seed"):
        build_settings(seed=-1, workers=0)


def test_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odyssey.toml").write_text("start = [")
    with pytest.raises(SettingsError, match=r"TOML in odyssey\.toml"):
        build_settings()


def test_variable_that_is_no_json_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODYSSEY_CLEANING", "strict")
    with pytest.raises(SettingsError, match='field "cleaning"'):
        build_settings()


def test_settings_cannot_be_changed() -> None:
    settings = build_settings()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, "seed", 5)  # noqa: B010 (the type checker refuses the assignment too)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings.costs, "slippage_bps", 0.0)  # noqa: B010 (as above)


def test_every_number_that_is_tuned_has_a_unit_or_a_range() -> None:
    sections = [
        field.annotation
        for field in Settings.model_fields.values()
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields")
    ]
    assert len(sections) >= 8
    for section in sections:
        for name, field in section.model_fields.items():
            if field.annotation in (int, float):
                assert field.metadata or field.description, f"{section.__name__}.{name}"

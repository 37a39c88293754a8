"""What a person meets who runs `odyssey run` on bad input.

A defect spoils its ticker or its row and nothing else; what spoils the whole run is refused in one
line, and the warehouse stays as it was. One folder holds a ticker of every defect, so that one run
shows them all.
"""

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import Result

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets_tests.end_to_end.file_market import (
    END,
    SESSIONS,
    START,
    files_environment,
    price_bars,
    run_here,
)
from odyssey_assets_tests.end_to_end.small_market import environment, query, table_hashes

NOT_DELIVERED = {
    "BROKEN": "not readable Parquet",
    "EMPTY": "is empty",
    "FOLDER": "cannot be read",
    "HEADER": "lacks the columns close",
    "NOFILE": "holds no NOFILE.csv",
}
QUARANTINED = {
    ("FUTURE", "future_date"): 1,
    ("HALF", "missing_price"): 1,
    ("MIXED", "unreadable_date"): 13,
    ("TEXT", "missing_price"): 2,
    ("TEXT", "unreadable_number"): 1,
}
DEAD_PROXY = "http://127.0.0.1:9"


def write_defects(folder: Path) -> None:
    """Write a file a ticker, each with the defect that its name says; NOFILE has none."""
    price_bars(1).to_csv(folder / "GOOD.csv", index=False)
    (folder / "EMPTY.csv").write_text("")
    price_bars(2).rename(columns={"Close": "Last"}).to_csv(folder / "HEADER.csv", index=False)
    mixed = price_bars(3)
    other = mixed.index[5::10]
    mixed.loc[other, "Date"] = SESSIONS[other].strftime("%d.%m.%Y")
    mixed.to_csv(folder / "MIXED.csv", index=False)
    future = price_bars(4)
    future.loc[future.index[-1], "Date"] = "2099-01-05"
    future.to_csv(folder / "FUTURE.csv", index=False)
    text = price_bars(5).astype(object)
    text.loc[40, "Close"], text.loc[41, "Open"], text.loc[42, "High"] = "n/a", "abc", float("nan")
    text.to_csv(folder / "TEXT.csv", index=False)
    whole = price_bars(6).to_csv(index=False).rstrip("\n")
    last = whole.rindex("\n") + 1
    (folder / "HALF.csv").write_text(whole[: last + len("2021-12-31,12")])
    (folder / "BROKEN.parquet").write_bytes(b"PAR1" + bytes(50))
    (folder / "FOLDER.csv").mkdir()


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Return the home and the outcome of a run over every defect; the proxy is absent too."""
    root = tmp_path_factory.mktemp("spoiled")
    (root / "prices").mkdir()
    write_defects(root / "prices")
    tickers = sorted({"GOOD", *NOT_DELIVERED, *(ticker for ticker, _ in QUARANTINED)})
    variables = files_environment(root / "home", root / "prices", *tickers)
    del variables["ODYSSEY_MACRO_SERIES"]
    return root / "home", run_here(variables, "run")


def refused(result: Result, *words: str) -> None:
    """Check that the command failed with one line that holds `words`, without a traceback."""
    assert result.exit_code == 1, result.output
    said = [line for line in result.output.splitlines() if all(word in line for word in words)]
    assert len(said) == 1, result.output
    assert "Traceback" not in result.output
    assert "odyssey_assets.errors" not in result.output


def test_run_over_spoiled_files_goes_on_with_the_other_tickers(
    spoiled: tuple[Path, Result],
) -> None:
    home, result = spoiled
    assert result.exit_code == 0, result.output
    bars = query(home, "select ticker, count(*) as rows from market_data.bars group by all")
    delivered = {"GOOD", *(ticker for ticker, _ in QUARANTINED)}
    assert dict(zip(bars["ticker"], bars["rows"], strict=True)) == dict.fromkeys(
        delivered, len(sessions_between(START, END))
    )
    features = query(home, "select distinct ticker from features.features")
    assert set(features["ticker"]) == delivered


@pytest.mark.parametrize("ticker", NOT_DELIVERED)
def test_run_says_why_a_ticker_was_not_delivered(ticker: str, spoiled: tuple[Path, Result]) -> None:
    lines = [line for line in spoiled[1].output.splitlines() if f" {ticker}: " in line]
    assert len(lines) == 1, spoiled[1].output
    assert NOT_DELIVERED[ticker] in lines[0]


def test_run_quarantines_every_spoiled_row_with_its_reason(spoiled: tuple[Path, Result]) -> None:
    home, result = spoiled
    rows = query(
        home, "select ticker, reason, count(*) as n, min(content) as content, bool_and(is_rejected)"
        " as rejected from market_data.quarantine group by all",
    )  # fmt: skip
    found = {(row.ticker, row.reason): row.n for row in rows.itertuples()}
    assert found == QUARANTINED
    assert rows["rejected"].all()
    assert rows.set_index("ticker").loc["FUTURE", "content"].count("2099-01-05") == 1
    for ticker, reason in QUARANTINED:
        said = [line for line in result.output.splitlines() if ticker in line and reason in line]
        assert said, result.output


def test_run_without_a_macro_folder_says_so_and_leaves_those_features_null(
    spoiled: tuple[Path, Result],
) -> None:
    home, result = spoiled
    assert " VIX: No folder of macro series is set." in result.output
    assert query(home, "select count(*) as n from market_data.macro")["n"].item() == 0
    assert (
        query(home, "select count(correlation_vix_20) as n from features.features")["n"].item() == 0
    )


def test_run_without_forecasts_says_who_does_not_compete_and_why(
    spoiled: tuple[Path, Result],
) -> None:
    home, result = spoiled
    policies = query(home, "select status, reason from portfolio.policies")
    assert policies["status"].tolist() == ["skipped"]
    (reason,) = policies["reason"]
    assert reason.startswith("no forecasts before")
    for said in (f"ppo: {reason}", "forecast_top_k: it could not", "buy_and_hold: it buys"):
        assert f"  {said}" in result.output
    held = query(home, "select distinct policy from portfolio.weights")["policy"]
    assert "equal_weight" in set(held)
    assert not {"ppo", "forecast_top_k", "forecast_kelly", "buy_and_hold"} & set(held)


def test_run_of_one_ticker_without_proxy_and_macro_computes_what_it_can(
    spoiled: tuple[Path, Result], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    prices = spoiled[0].parent / "prices"
    variables = {**files_environment(home, tmp_path, "SPY"), "ODYSSEY_SOURCE": "simulated"}
    options = ("--source", "files", "--price-dir", str(prices), "--tickers", "GOOD")
    result = run_here(variables, "run", *options)
    assert result.exit_code == 0, result.output
    warnings = [line for line in result.output.splitlines() if line.startswith("warning")]
    assert ["every_policy_competes" in line for line in warnings] == [True], result.output
    assert "buy_and_hold: it buys the proxy SPY, which is not among the tickers" in result.output
    assert query(home, "select distinct ticker, source from market_data.bars").to_dict("list") == {
        "ticker": ["GOOD"],
        "source": ["files"],
    }
    own = query(home, "select count(*) as n from features.features where return_1d is not null")
    assert own["n"].item() > 0
    held = query(home, "select max(held_weight) as most from portfolio.weights")
    assert 0.1 < held["most"].item() < 0.3


def test_run_on_a_missing_folder_is_refused_and_changes_nothing(
    spoiled: tuple[Path, Result], tmp_path: Path
) -> None:
    home = shutil.copytree(spoiled[0], tmp_path / "home")
    before, memory = table_hashes(home), (home / "universe.json").read_text()
    missing = tmp_path / "nowhere"
    result = run_here(files_environment(home, missing, "GOOD"), "run")
    refused(result, "failed", str(missing), "cannot be read", "Check --price-dir")
    assert "as it was before this run" in result.output
    assert table_hashes(home) == before
    assert (home / "universe.json").read_text() == memory


def test_run_of_the_source_files_without_a_folder_is_refused(tmp_path: Path) -> None:
    variables = files_environment(tmp_path / "home", tmp_path, "GOOD")
    del variables["ODYSSEY_PRICE_DIR"]
    refused(run_here(variables, "run"), "needs price_dir", "--price-dir")


def test_run_under_limits_that_contradict_each_other_is_refused(tmp_path: Path) -> None:
    variables = {
        **files_environment(tmp_path / "home", tmp_path, "GOOD"),
        "ODYSSEY_PORTFOLIO__MAX_INVESTED": "0.9",
        "ODYSSEY_PORTFOLIO__MIN_CASH": "0.2",
    }
    refused(run_here(variables, "run"), "max_invested 0.9", "min_cash 0.2", "contradict")
    assert not (tmp_path / "home").exists()


def test_run_of_yfinance_without_network_is_refused(tmp_path: Path) -> None:
    variables = {
        **files_environment(tmp_path / "home", tmp_path, "SPY"),
        "ODYSSEY_SOURCE": "yfinance",
        "ODYSSEY_YFINANCE__ATTEMPTS": "1",
        "HTTPS_PROXY": DEAD_PROXY, "https_proxy": DEAD_PROXY,
        "HTTP_PROXY": DEAD_PROXY, "http_proxy": DEAD_PROXY,
        "NO_PROXY": "", "no_proxy": "",
    }  # fmt: skip
    result = run_here(variables, "run")
    refused(result, "failed", "Yahoo", "SPY in 1 attempts", "Check network and proxy")


def test_run_on_a_warehouse_of_a_newer_layout_is_refused_and_changes_nothing(
    spoiled: tuple[Path, Result], tmp_path: Path
) -> None:
    home = shutil.copytree(spoiled[0], tmp_path / "home")
    live = home / "warehouse" / "odyssey.duckdb"
    with duckdb.connect(str(live)) as connection:
        connection.execute("update meta.layout set version = 99")
    before, memory = live.read_bytes(), (home / "universe.json").read_text()
    result = run_here(files_environment(home, tmp_path, "GOOD"), "run")
    refused(result, "layout 99", "Update Odyssey")
    assert live.read_bytes() == before
    assert (home / "universe.json").read_text() == memory


@pytest.mark.parametrize("below", ["file/home", "file"])
def test_run_in_an_unwritable_home_is_refused(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run_here(files_environment(tmp_path / below, tmp_path, "GOOD"), "run")
    refused(result, str(tmp_path / below), "cannot be created", "--home")


def test_nightly_run_on_a_tampered_model_refuses_it_and_fits_the_same_one_beside_it(
    finished_home: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(finished_home, tmp_path / "home")
    before = table_hashes(home)
    newest = query(home, 'select max("window") as day from forecasting.predictions')["day"].item()
    model = next(
        path
        for path in sorted((home / "models").rglob("model.bin"))
        if f"{pd.Timestamp(newest):%Y-%m-%d}" in str(path) and "xgboost" in str(path)
    )
    payload = bytearray(model.read_bytes())
    payload[len(payload) // 2] ^= 1
    model.write_bytes(payload)
    result = run_here(environment(home), "run", "--nightly")
    assert result.exit_code == 0, result.output
    warned = [line for line in result.output.splitlines() if "reigning_models_are_loadable" in line]
    assert len(warned) == 1
    assert model.parent.name in warned[0]
    assert "signature" in result.output
    assert model.read_bytes() == bytes(payload), "kept, for whoever finds out who changed it"
    after = table_hashes(home)
    changed = {name for name, sha256 in after.items() if sha256 != before[name]}
    assert changed == {"forecasting.folds"}, "which name the model that was fitted anew"

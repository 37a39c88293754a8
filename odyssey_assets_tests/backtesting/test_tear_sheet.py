import json
import re
from dataclasses import replace
from datetime import date
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.tables import TEAR_SHEETS
from odyssey_assets.backtesting.tear_sheet import TearSheetInputs, write_tear_sheets
from odyssey_assets.backtesting.verdict import verdict
from odyssey_assets.core.figure_text import percent, ratio
from odyssey_assets.errors import ContractError, ReportError
from odyssey_assets_tests.backtesting.synthetic_results import synthetic_fan, synthetic_results

STRATEGIES = ("ppo", "equal_weight", "buy_and_hold")
MAX_BYTES = 6_000_000
HOSTILE = "<script>alert('x')</script>"
CHARTS = (
    "growth", "drawdown", "rolling-sharpe", "turnover", "costs", "weights", "portfolio", "fan",
)  # fmt: skip


def _inputs(**days: Any) -> TearSheetInputs:
    rows = synthetic_results(STRATEGIES, **days)
    return TearSheetInputs(
        descriptions={name: f"What {name} does." for name in STRATEGIES},
        **vars(rows),
        wealth_fan=synthetic_fan(rows.daily),
        proxy="SPY",
        rules={"Costs": "10 bps of traded value."},
    )


INPUTS = _inputs(is_simulated=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def rows(home: Path) -> pd.DataFrame:
    return write_tear_sheets(INPUTS, home / "reports" / "tear_sheets", home)


@pytest.fixture(scope="module")
def sheet(home: Path, rows: pd.DataFrame) -> str:
    [path] = rows.loc[rows["strategy"] == "ppo", "path"]
    return (home / path).read_text()


def _own(sheet: str) -> str:
    """Return the sheet without Plotly's code."""
    return max(re.split(r"<script>.*?</script>", sheet, flags=re.S), key=len)


def _data(sheet: str) -> Any:
    [packed] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', sheet, re.S)
    return json.loads(packed)


def _written(inputs: TearSheetInputs, home: Path) -> dict[str, str]:
    rows = write_tear_sheets(inputs, home / "sheets", home)
    return {
        name: (home / path).read_text()
        for name, path in zip(rows["strategy"], rows["path"], strict=True)
    }


def test_rows_name_every_file_with_its_hash_and_size(home: Path, rows: pd.DataFrame) -> None:
    assert rows["strategy"].tolist() == sorted(STRATEGIES)
    pd.testing.assert_frame_equal(rows, TEAR_SHEETS.conform(rows))
    for _, row in rows.iterrows():
        content = (home / row["path"]).read_bytes()
        assert row["path"] == f"reports/tear_sheets/{row['strategy']}.html"
        assert row["content_sha256"] == sha256(content).hexdigest()
        assert row["size_bytes"] == len(content) < MAX_BYTES


def test_sheets_of_the_same_data_are_the_same_bytes(rows: pd.DataFrame, tmp_path: Path) -> None:
    again = write_tear_sheets(INPUTS, tmp_path / "reports" / "tear_sheets", tmp_path)
    assert again["content_sha256"].tolist() == rows["content_sha256"].tolist()


def test_every_chart_has_its_place_and_traces_with_values(sheet: str) -> None:
    data = _data(sheet)
    assert tuple(sorted(data["figures"])) == tuple(sorted(CHARTS))
    for name in CHARTS:
        assert f'id="chart-{name}" role="img" aria-label="' in sheet
        for trace in data["figures"][name]["data"]:
            values = [value for value in trace["x" if name == "portfolio" else "y"] if value]
            assert values or trace["name"] == "lowest seed", (name, trace["name"])
    sessions = INPUTS.daily.query("strategy == 'ppo'")["date"]
    assert data["sessions"] == [f"{day:%Y-%m-%d}" for day in sessions]
    assert data["figures"]["drawdown"]["data"][-1]["y"] == pytest.approx(
        INPUTS.daily.query("strategy == 'ppo'")["drawdown"].tolist(), abs=1e-5
    )


def test_sheet_asks_for_nothing_from_elsewhere(sheet: str) -> None:
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", _own(sheet))
    assert "default-src 'none'" in sheet


def test_figures_of_the_sheet_equal_the_stored_ones(sheet: str) -> None:
    row = INPUTS.performance.query("strategy == 'ppo' and period == 'common'").iloc[0]
    other = INPUTS.performance.query("strategy == 'equal_weight' and period == 'common'").iloc[0]
    assert (
        f'<th scope="row">Growth a year</th><td>{percent(row["cagr"])}</td>'
        f"<td>{percent(other['cagr'])}</td>"
    ) in sheet
    assert f'<th scope="row">Sortino ratio</th><td>{ratio(row["sortino"])}</td>' in sheet
    stress = INPUTS.stress.query("strategy == 'ppo' and scenario == '2022'").iloc[0]
    assert re.search(
        rf'2022</th><td style="[^"]*">{percent(stress["portfolio_return"])}</td>', sheet
    )


def test_sheet_begins_with_the_verdict_in_plain_words(sheet: str) -> None:
    said = verdict(INPUTS.daily, INPUTS.performance, "ppo")
    text = unescape(sheet)
    assert said.headline in text
    assert all(reason in text for reason in said.reasons)
    assert text.index(said.headline) < text.index("Key figures</h2>")


def test_headings_do_not_skip_a_level_and_links_lead_somewhere(sheet: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", _own(sheet))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))  # noqa: RUF007
    for target in re.findall(r'href="#([^"]+)"', sheet):
        assert f'id="{target}"' in sheet
    assert len(re.findall("<table", sheet)) == len(re.findall("<caption>", sheet))


def test_only_simulated_data_is_called_so(sheet: str, tmp_path: Path) -> None:
    assert "Simulated data" in sheet
    real = _written(_inputs(), tmp_path)
    assert not any("Simulated data" in text for text in real.values())


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    weights = INPUTS.weights.assign(ticker=INPUTS.weights["ticker"].replace("AAPL", HOSTILE))
    trades = INPUTS.trades.assign(ticker=HOSTILE)
    stress = INPUTS.stress.assign(reason=HOSTILE)
    hostile = replace(
        INPUTS,
        descriptions={"ppo": HOSTILE},
        weights=weights,
        trades=trades,
        stress=stress,
        proxy=HOSTILE,
        rules={HOSTILE: HOSTILE},
    )
    text = _written(hostile, tmp_path)["ppo"]
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;") >= 10
    assert HOSTILE in {trace["name"] for trace in _data(text)["figures"]["weights"]["data"]}


def test_sheets_of_strategies_that_are_gone_are_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "sheets"
    folder.mkdir()
    (folder / "former.html").write_text("old")
    _written(replace(INPUTS, descriptions={"ppo": "x"}), tmp_path)
    assert [path.name for path in folder.iterdir()] == ["ppo.html"]


def test_full_disk_keeps_the_old_sheets(tmp_path: Path) -> None:
    before = _written(replace(INPUTS, descriptions={"ppo": "old"}), tmp_path)
    # Writing to this device fails as a full disk does.
    (tmp_path / "sheets" / "equal_weight.html.tmp").symlink_to("/dev/full")
    with pytest.raises(ReportError, match="Free disk space"):
        _written(replace(INPUTS, descriptions={"ppo": "new", "equal_weight": "new"}), tmp_path)
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == ["ppo.html"]
    assert (tmp_path / "sheets" / "ppo.html").read_text() == before["ppo"]


def test_strategy_that_cannot_name_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot name a file"):
        _written(replace(INPUTS, descriptions={"../ppo": "x"}), tmp_path)
    assert not list(tmp_path.rglob("*.html*"))


def test_sheets_of_nothing_say_so(tmp_path: Path) -> None:
    nothing = {
        name: value.iloc[:0]
        for name, value in vars(INPUTS).items()
        if isinstance(value, pd.DataFrame)
    }
    text = _written(replace(INPUTS, **nothing), tmp_path)["ppo"]
    assert "It has not traded yet." in text
    assert "No verdict yet" in text
    assert _data(text) == {"sessions": [], "figures": {}}
    assert text.count("o data yet.") >= 5


def test_no_strategies_leave_an_empty_table_and_folder(tmp_path: Path) -> None:
    rows = write_tear_sheets(replace(INPUTS, descriptions={}), tmp_path / "sheets", tmp_path)
    pd.testing.assert_frame_equal(rows, TEAR_SHEETS.empty())
    assert list((tmp_path / "sheets").iterdir()) == []


@pytest.mark.parametrize("last", [date(2020, 1, 2), date(2020, 1, 3)])
def test_sheets_of_the_first_sessions_are_written(last: date, tmp_path: Path) -> None:
    inputs = _inputs(first=date(2020, 1, 2), last=last)
    text = _written(inputs, tmp_path)["equal_weight"]
    assert len(_data(text)["sessions"]) == inputs.daily["date"].nunique()
    assert "rolling-sharpe" not in _data(text)["figures"]


def test_sheets_of_returns_that_do_not_vary_are_written(tmp_path: Path) -> None:
    still = ["return", "turnover", "price_gain", "commission", "slippage", "drawdown"]
    unknown = INPUTS.performance.select_dtypes("float64").columns
    inputs = replace(
        INPUTS,
        daily=INPUTS.daily.assign(**dict.fromkeys(still, 0.0), equity=1e6),
        performance=INPUTS.performance.assign(**dict.fromkeys(unknown, np.nan)),
        monte_carlo=INPUTS.monte_carlo.assign(value=np.nan),
    )
    text = _written(inputs, tmp_path)["ppo"]
    assert "No verdict yet" in text
    assert _data(text)["figures"]["growth"]["data"][-1]["y"][0] == 1.0

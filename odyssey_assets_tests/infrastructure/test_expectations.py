"""Expectations: the library judges as the screen does, and says which rows break a rule."""

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.infrastructure.contract_rules import Rule, is_kept
from odyssey_assets.infrastructure.expectations import validate

COLUMNS = 6
TEXTS = ("a", "b", "c")


def random_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Return a few rows of many columns: numbers at and beyond bounds, texts, nulls."""
    count = int(rng.integers(0, 7))
    numbers = np.array([0.0, 1.0, np.nextafter(1.0, 2), -1e-300, np.inf, -np.inf, np.nan, 0.5])
    columns: dict[str, object] = {}
    for index in range(COLUMNS):
        # Most values are legal, so that kept and broken rules are both common.
        legal = rng.random(count) < 0.9
        columns[f"float{index}"] = np.where(legal, 0.5, rng.choice(numbers, count))
        whole = pd.array(np.where(legal, 1, rng.integers(-3, 4, count)), dtype="Int64")
        whole[rng.random(count) < 0.1] = pd.NA
        columns[f"whole{index}"] = whole
        texts = np.where(legal, "a", rng.choice(["b", "c", "d", ""], count))
        known = pd.Series(texts, dtype="str").where(rng.random(count) > 0.1)
        columns[f"text{index}"] = known
    return pd.DataFrame(columns)


def random_rules() -> list[Rule]:
    rules = []
    for index in range(COLUMNS):
        for name in (f"float{index}", f"whole{index}"):
            rules.append(Rule("range", (name,), "0 to 1", 0.0, 1.0))
            rules.append(Rule("range", (name,), "finite"))
        rules.append(Rule("vocabulary", (f"text{index}",), "a, b or c", allowed=TEXTS))
        rules += [Rule("not null", (f"{kind}{index}",), "") for kind in ("float", "whole", "text")]
        rules.append(Rule("unique", (f"float{index}", f"whole{index}", f"text{index}"), ""))
    return rules


@pytest.mark.parametrize("seed", range(2))
def test_the_library_finds_broken_what_the_screen_suspects_and_nothing_else(seed: int) -> None:
    rows = random_rows(np.random.default_rng(seed))
    rules = random_rules()
    kept = [is_kept(rule, rows) for rule in rules]
    assert [detail is None for detail in validate(rows, rules)] == kept


def test_random_rules_are_kept_and_broken() -> None:
    rules = random_rules()
    kept = [is_kept(r, random_rows(np.random.default_rng(s))) for s in range(3) for r in rules]
    assert 0.1 < np.mean(kept) < 0.9


def test_broken_rule_names_its_rows_by_number() -> None:
    rows = pd.DataFrame({"x": [0.5, 2.0, np.nan, -1.0]})
    kept, broken = validate(
        rows, [Rule("range", ("x",), "finite"), Rule("range", ("x",), "0 to 1", 0.0, 1.0)]
    )
    assert kept is None
    assert broken is not None
    assert broken["unexpected_count"] == 2
    assert broken["unexpected_index_list"] == [1, 3]


def test_column_that_nobody_declared_is_a_mismatch() -> None:
    (found,) = validate(
        pd.DataFrame({"x": [1], "y": [1]}), [Rule("columns", (), "", allowed=("x",))]
    )
    assert found is not None
    assert found["details"]["mismatched"] == {"unexpected": ["y"]}

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.hashing import hash_frame, hash_mapping

_TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=6)


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=3).astype("datetime64[us]"),
            "ticker": pd.array(["AAA", None, "C"], dtype="str"),
            "price": [1.5, np.nan, -0.0],
            "count": [1, 2, 3],
            "rows": pd.array([1, None, 3], dtype="Int64"),
            "is_filled": [True, False, True],
        }
    )


def test_hash_frame_is_the_same_in_another_process() -> None:
    code = (
        "from odyssey_assets_tests.core.test_hashing import _frame\n"
        "from odyssey_assets.core.hashing import hash_frame, hash_mapping\n"
        "print(hash_frame(_frame()), hash_mapping({'b': 1, 'a': [1.5, 'x']}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    mapping = hash_mapping({"a": [1.5, "x"], "b": 1})
    assert done.stdout.split() == [hash_frame(_frame()), mapping]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("date", pd.Timestamp("2024-01-09")),
        ("date", pd.NaT),
        ("ticker", "AAB"),
        ("ticker", None),
        ("price", np.nextafter(1.5, 2)),
        ("price", np.nan),
        ("count", 7),
        ("rows", pd.NA),
        ("is_filled", False),
    ],
)
def test_hash_frame_changes_with_every_value(column: str, value: object) -> None:
    changed = _frame()
    changed.loc[0, column] = value
    assert hash_frame(changed) != hash_frame(_frame())


def test_hash_frame_ignores_index_layout_and_columns_that_were_not_asked_for() -> None:
    frame = _frame()
    columns = ["ticker", "price", "count"]
    expected = hash_frame(frame[columns])
    other = frame.set_index(pd.Index([9, 8, 7])).assign(extra=1)
    fortran = pd.DataFrame({name: other[name].copy() for name in reversed(other.columns)})
    assert hash_frame(fortran, columns) == expected
    assert hash_frame(frame, ["price", "ticker", "count"]) != expected


def test_hash_frame_depends_on_row_order_names_and_kinds() -> None:
    frame = _frame()
    different = [
        frame.iloc[::-1],
        frame.rename(columns={"price": "value"}),
        frame.astype({"count": "float64"}),
        frame.iloc[:2],
        frame.iloc[:0],
    ]
    hashes = {hash_frame(other) for other in different}
    assert len(hashes | {hash_frame(frame)}) == len(different) + 1


def test_hash_frame_counts_every_nan_as_the_same_null_and_both_zeros_as_one() -> None:
    strange = np.array([0x7FF8000000000001, 0xFFF8000000000000], dtype="uint64").view("float64")
    nans = pd.DataFrame({"price": strange})
    assert hash_frame(nans) == hash_frame(pd.DataFrame({"price": [np.nan, np.nan]}))
    zeros = pd.DataFrame({"price": [0.0]})
    assert hash_frame(pd.DataFrame({"price": [-0.0]})) == hash_frame(zeros)


@settings(max_examples=50, deadline=None)
@given(one=_TEXTS, two=_TEXTS)
def test_hash_of_texts_is_equal_exactly_if_the_texts_are(
    one: list[str | None], two: list[str | None]
) -> None:
    def hashed(texts: list[str | None]) -> str:
        return hash_frame(pd.DataFrame({"text": pd.Series(texts, dtype="object")}))

    assert (hashed(one) == hashed(two)) == (one == two)


def test_hash_of_a_null_differs_from_every_text_that_looks_like_one() -> None:
    texts = [None, "", "None", "nan", "<NA>", "\x00null"]
    hashes = {hash_frame(pd.DataFrame({"text": pd.array([text], dtype="str")})) for text in texts}
    assert len(hashes) == len(texts)


@given(content=st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4)))
def test_hash_mapping_ignores_the_order_of_keys(content: dict[str, int | str]) -> None:
    shuffled = dict(sorted(content.items(), reverse=True))
    assert hash_mapping(shuffled) == hash_mapping(content)
    assert hash_mapping({**content, "an added key": 1}) != hash_mapping(content)

import shutil
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.signatures import unverified
from odyssey_assets.portfolio.tables import POLICIES
from odyssey_assets_tests.portfolio.small_training import small_market, tiny_settings, train

SKIPPED, TRAINED = "2015-01-01", ("2016-01-01", "2016-07-01", "2017-01-01")


@pytest.fixture(scope="module")
def good_store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def rows(good_store: ModelStore) -> pd.DataFrame:
    return train(good_store, small_market(), tiny_settings()).policies


@pytest.fixture
def store(good_store: ModelStore, rows: pd.DataFrame, tmp_path: Path) -> ModelStore:  # noqa: ARG001 (rows fill it)
    """Return a copy of the store, for tests that change it."""
    return ModelStore(Path(shutil.copytree(good_store.folder, tmp_path / "models")))


def payload_of(store: ModelStore, row: pd.Series) -> Path:
    return store.folder / str(row["model_name"]) / PAYLOAD


def test_policies_as_they_were_trained_are_verified(
    rows: pd.DataFrame, good_store: ModelStore
) -> None:
    assert (rows["status"] == "trained").sum() == 4
    assert unverified(rows, good_store) == []


def test_skipped_windows_need_no_model(rows: pd.DataFrame, tmp_path: Path) -> None:
    skipped = rows[rows["status"] == "skipped"]
    assert len(skipped) == 2
    assert unverified(skipped, ModelStore(tmp_path / "nothing")) == []
    assert unverified(POLICIES.empty(), ModelStore(tmp_path / "nothing")) == []


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("damage", ["altered", "cut", "removed"])
def test_every_damaged_policy_is_found_and_no_other(
    number: int, damage: str, rows: pd.DataFrame, store: ModelStore
) -> None:
    row = rows[rows["status"] == "trained"].iloc[number]
    payload = payload_of(store, row)
    content = payload.read_bytes()
    if damage == "removed":
        shutil.rmtree(payload.parent)
    else:
        payload.write_bytes(
            content[:-1] if damage == "cut" else bytes([content[0] ^ 1]) + content[1:]
        )
    (found,) = unverified(rows, store)
    assert (found.window, found.seed) == (f"{row['window']:%Y-%m-%d}", row["seed"])
    expected = "is not stored. Train the window again." if damage == "removed" else "signature"
    assert expected in found.reason


def test_store_signed_with_another_key_verifies_nothing(
    rows: pd.DataFrame, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODYSSEY_SIGNING_KEY", "another key, long enough")
    assert len(unverified(rows, store)) == 4


def test_row_that_claims_another_hash_is_found_with_both(
    rows: pd.DataFrame, good_store: ModelStore
) -> None:
    claimed = rows.copy()
    claimed.loc[claimed.index[-1], "model_sha256"] = "f" * 64
    (found,) = unverified(claimed, good_store)
    assert (found.window, found.seed) == (TRAINED[-1], rows["seed"].iloc[-1])
    assert rows["model_sha256"].iloc[-1] in found.reason
    assert f"expected {'f' * 64}" in found.reason

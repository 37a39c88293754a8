"""The brief's asset and the picture of its mart, over a real warehouse."""

from pathlib import Path

import dagster as dg
import pytest

from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.brief.assets import (
    BRIEF_KEY,
    MART_KEY,
    brief_assets,
    brief_pictures,
)
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.monitoring.brief.nights import EMPTY, NIGHT, rows_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return build_settings(home=tmp_path, end="2024-08-16", reports_port=3999)


def _warehouse(
    root: Path, lines: tuple[tuple[object, ...], ...] = NIGHT, *, is_empty: bool = False
) -> Warehouse:
    """Return a warehouse whose mart holds these lines."""
    home = Home(root)
    home.create()
    warehouse = Warehouse(home, WarehouseSettings(min_free_gb=0))
    rows = rows_of(lines, None) if is_empty else rows_of(lines)
    path = root / "rows.parquet"
    rows.to_parquet(path)
    schema, name = MART_KEY.path
    warehouse.create_model(schema, name, "table", f"select * from '{path}'", "Lines.", {})
    return warehouse


def _run(warehouse: Warehouse, settings: Settings) -> dict[str, dg.MetadataValue]:
    result = dg.materialize(
        brief_assets(), resources={"settings": settings, "warehouse": warehouse}
    )
    [event] = result.get_asset_materialization_events()
    assert event.asset_key == BRIEF_KEY
    return dict(event.materialization.metadata)


def test_asset_writes_the_page_and_shows_it_in_the_ui(tmp_path: Path, settings: Settings) -> None:
    metadata = _run(_warehouse(tmp_path), settings)
    page = tmp_path / "reports" / "morning_brief" / "index.html"
    assert metadata["file"].value == str(page)
    assert metadata["page"].value == "http://127.0.0.1:3999/morning_brief/index.html"
    assert metadata["to_look_at"].value == 2
    assert str(metadata["brief"].value).startswith("![Morning brief")
    assert "disk full" in str(metadata["text"].value)
    assert page.with_name("2024-08-16.html").read_bytes() == page.read_bytes()
    assert b"everything below is old" not in page.read_bytes()


def test_asset_says_when_the_data_ends_before_the_last_session(tmp_path: Path) -> None:
    late = build_settings(home=tmp_path, end="2024-08-20")
    metadata = _run(_warehouse(tmp_path), late)
    text = Path(str(metadata["file"].value)).read_text()
    assert "The data ends at 2024-08-16, but 2024-08-20 is over" in text


def test_asset_of_an_empty_home_writes_a_page(tmp_path: Path, settings: Settings) -> None:
    metadata = _run(_warehouse(tmp_path, EMPTY, is_empty=True), settings)
    folder = Path(str(metadata["file"].value)).parent
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_asset_follows_the_mart_and_the_published_database() -> None:
    [spec] = [spec for asset in brief_assets() for spec in asset.specs]
    upstream = {dependency.asset_key.to_user_string() for dependency in spec.deps}
    assert upstream == {"marts/mart_morning_brief", "published/database"}
    assert spec.group_name == "published"
    assert spec.description


def test_mart_gets_its_picture(tmp_path: Path) -> None:
    [(name, value)] = brief_pictures()(_warehouse(tmp_path)).items()
    assert name == "brief"
    assert "data:image/png;base64," in str(value.value)

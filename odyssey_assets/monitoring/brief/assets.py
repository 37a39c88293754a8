"""The asset `published.morning_brief`: a page for people, and the picture of its mart."""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import last_session
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.refresh import PUBLISHED_KEY
from odyssey_assets.infrastructure.report_server import report_address
from odyssey_assets.infrastructure.sql_assets import PictureMaker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings

BRIEF_KEY = dg.AssetKey(["published", "morning_brief"])
MART_KEY = dg.AssetKey(["marts", "mart_morning_brief"])
FOLDER = "morning_brief"
BRIEFS_KEPT = 60
_ALTERNATIVE = "Morning brief: how each section stands, and the weights wanted next"


def brief_assets() -> list[dg.AssetsDefinition]:
    """Return the asset of the page; it belongs to the job without partitions."""
    return [_morning_brief()]


def brief_pictures() -> PictureMaker:
    """Return what adds the picture of the brief to its mart."""

    def pictures(warehouse: Warehouse) -> Mapping[str, dg.MetadataValue]:
        from odyssey_assets.monitoring.brief.chart import brief_chart
        from odyssey_assets.monitoring.brief.sections import brief_of

        return {"brief": picture(brief_chart(brief_of(_rows(warehouse))), _ALTERNATIVE)}

    return pictures


def _rows(warehouse: Warehouse) -> pd.DataFrame:
    return warehouse.query("select * from marts.mart_morning_brief order by line")


def _morning_brief() -> dg.AssetsDefinition:
    @dg.asset(
        key=BRIEF_KEY,
        deps=[MART_KEY, PUBLISHED_KEY],
        group_name="published",
        description=(
            "The page that says what happened in the night: data, drift, retrainings, promotions, "
            "the portfolio for the next open, and what to look at first."
        ),
        kinds={"html"},
    )
    def morning_brief(
        settings: dg.ResourceParam[Settings], warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:
        from odyssey_assets.monitoring.brief.chart import brief_chart
        from odyssey_assets.monitoring.brief.files import write_brief
        from odyssey_assets.monitoring.brief.page import render
        from odyssey_assets.monitoring.brief.sections import brief_of, markdown

        home, brief = home_of(settings), brief_of(_rows(warehouse))
        expected = last_session(settings)
        path = write_brief(
            home.reports / FOLDER,
            brief.session,
            BRIEFS_KEPT,
            lambda earlier: render(brief, expected, earlier),
        )
        address = report_address(settings.reports_port, home.reports, path)
        return dg.MaterializeResult(
            metadata={
                "page": dg.MetadataValue.url(address),
                "file": dg.MetadataValue.path(str(path)),
                "to_look_at": len(brief.urgent),
                "brief": picture(brief_chart(brief), _ALTERNATIVE),
                "text": dg.MetadataValue.md(markdown(brief)),
            }
        )

    return morning_brief

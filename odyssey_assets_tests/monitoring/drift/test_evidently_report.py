import re

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from odyssey_assets.monitoring.drift.evidently_report import DriftTable

NAMES = ["first", "second"]


def page(preset: type[DataDriftPreset]) -> str:
    """Return the page of a preset, without the identifiers that differ from one to the next."""
    generator = np.random.default_rng(0)
    definition = DataDefinition(numerical_columns=NAMES)
    sample, reference = (
        Dataset.from_pandas(
            pd.DataFrame(generator.normal(size=(rows, 2)), columns=NAMES),
            data_definition=definition,
        )
        for rows in (50, 300)
    )
    report = Report([preset(columns=NAMES, method="wasserstein", drift_share=0.25)])
    html = report.run(sample, reference).get_html_str(as_iframe=False)
    return re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "", html)


def test_page_is_that_of_the_preset_to_the_last_character() -> None:
    found, expected = page(DriftTable), page(DataDriftPreset)
    assert len(found) > 1_000_000
    assert found == expected

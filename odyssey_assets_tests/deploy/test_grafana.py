"""The Grafana dashboards: provisioned, laid out, and about metrics that exist."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from odyssey_assets_tests.deploy.rules import DEPLOY, load, metric_names, promtool
from odyssey_assets_tests.samples import Samples

GRAFANA = DEPLOY / "grafana"
PATHS = sorted((GRAFANA / "dashboards").glob("*.json"))
NAMES = ("data_health", "model_health", "portfolio", "runs")
WIDTH = 24


def dashboard(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def expressions(path: Path) -> Iterator[str]:
    """Yield every expression of a dashboard, those of its variables without `label_values`."""
    content = dashboard(path)
    for panel in content["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in content["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert found is not None
        yield found.group(1)


def panels(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dashboard(path)["panels"]
    return found


def test_dashboards_are_the_four_that_there_should_be() -> None:
    assert tuple(path.stem for path in PATHS) == NAMES
    assert len({dashboard(path)["uid"] for path in PATHS}) == len(NAMES)


def test_every_metric_of_the_dashboards_is_exposed_and_every_one_is_shown(exposed: Samples) -> None:
    shown = {name for path in PATHS for each in expressions(path) for name in metric_names(each)}
    assert shown - set(exposed) == set()
    assert set(exposed) - shown == set()


def test_every_expression_is_valid_for_prometheus(tmp_path: Path) -> None:
    found = [each for path in PATHS for each in expressions(path)]
    rules = [
        {"record": f"dashboard:{number}", "expr": re.sub(r"\$\w+", "x", expression)}
        for number, expression in enumerate(found)
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "x", "rules": rules}]}))
    done = promtool("check", "rules", str(tmp_path / "rules.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_variable_that_is_used_is_declared_and_the_other_way_round(path: Path) -> None:
    declared = {variable["name"] for variable in dashboard(path)["templating"]["list"]}
    used = {name for each in expressions(path) for name in re.findall(r"\$(\w+)", each)}
    assert used == declared


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_panels_lie_beside_each_other_and_explain_themselves(path: Path) -> None:
    found = panels(path)
    assert len({panel["id"] for panel in found}) == len(found)
    places = [panel["gridPos"] for panel in found]
    assert all(place["x"] + place["w"] <= WIDTH for place in places)
    for one, other in combinations(places, 2):
        is_beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        is_below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert is_beside or is_below
    for panel in found:
        assert panel["title"]
        assert panel["type"] == "row" or panel["description"].endswith(".")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_panels_read_the_source_that_is_provisioned(path: Path) -> None:
    (source,) = load(GRAFANA / "provisioning" / "datasources" / "odyssey.yaml")["datasources"]
    used = {
        part["datasource"]["uid"]
        for panel in panels(path)
        if panel["type"] != "row"
        for part in (panel, *panel["targets"])
    }
    assert used == {source["uid"]}
    assert source["type"] == "prometheus"


def test_provisioning_loads_a_folder_that_the_person_names() -> None:
    (provider,) = load(GRAFANA / "provisioning" / "dashboards" / "odyssey.yaml")["providers"]
    assert provider["type"] == "file"
    variable = provider["options"]["path"].strip("${}")
    assert variable in (DEPLOY / "README.md").read_text()

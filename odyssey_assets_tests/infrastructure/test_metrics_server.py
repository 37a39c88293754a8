"""Metrics over HTTP: what a scrape gets when sources answer, fail and come back."""

import logging
import socket
import threading
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from odyssey_assets.errors import SettingsError, WarehouseError
from odyssey_assets.infrastructure.metrics_server import serve_metrics
from odyssey_assets_tests.samples import fetch_text, scrape

LOCAL_HOST = "127.0.0.1"


class Source:
    """A source that gives one value, or the problem it has."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problem: str | None = None

    def families(self) -> Sequence[Metric]:
        if self.problem is not None:
            raise WarehouseError(self.problem)
        return [GaugeMetricFamily(f"odyssey_{self.name}", "A value.", value=1.5)]


def test_sources_that_answer_are_served_in_the_text_format() -> None:
    with serve_metrics([Source("one"), Source("two")], LOCAL_HOST, 0) as port:
        with urllib.request.urlopen(f"http://{LOCAL_HOST}:{port}/metrics", timeout=10) as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=")
        found = scrape(port)
    assert found["odyssey_one"] == found["odyssey_two"] == {"": 1.5}
    assert found["odyssey_up"] == {"": 1.0}
    assert found["odyssey_source_up"] == {"source=one": 1.0, "source=two": 1.0}
    assert set(found["odyssey_scrape_duration_seconds"]) == {"source=one", "source=two"}
    assert found["odyssey_source_problem_info"] == {}


def test_source_that_fails_is_reported_and_the_others_are_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, whole = Source("broken"), Source("whole")
    broken.problem = 'The file "x" is gone.\nRun `odyssey run`.'
    with serve_metrics([broken, whole], LOCAL_HOST, 0) as port, caplog.at_level(logging.WARNING):
        text = fetch_text(port)
        found = scrape(port)
        assert "\nodyssey_up 0.0\n" in text
        assert found["odyssey_source_up"] == {"source=broken": 0.0, "source=whole": 1.0}
        assert found["odyssey_source_problem_info"] == {
            f"message={broken.problem},source=broken": 1.0
        }
        assert found["odyssey_whole"] == {"": 1.5}
        assert "odyssey_broken" not in found
        broken.problem = None
        assert scrape(port)["odyssey_up"] == {"": 1.0}
    assert [record.getMessage() for record in caplog.records] == [
        'broken: The file "x" is gone.\nRun `odyssey run`.',
        "broken: can be read again",
    ]


def test_two_scrapes_at_once_are_answered_both() -> None:
    together = threading.Barrier(2, timeout=30)

    class Meeting(Source):
        def families(self) -> Sequence[Metric]:
            together.wait()
            return super().families()

    with (
        serve_metrics([Meeting("one")], LOCAL_HOST, 0) as port,
        ThreadPoolExecutor(2) as threads,
    ):
        found = list(threads.map(scrape, [port, port]))
    assert [one["odyssey_one"] for one in found] == [{"": 1.5}, {"": 1.5}]


def test_port_that_is_taken_is_refused_with_advice() -> None:
    with socket.socket() as taken:
        taken.bind((LOCAL_HOST, 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with (
            pytest.raises(SettingsError, match=f"{port}.*--host and --port"),
            serve_metrics([], LOCAL_HOST, port),
        ):
            pytest.fail("the port is taken")


def test_host_that_does_not_exist_is_refused_with_advice() -> None:
    with (
        pytest.raises(SettingsError, match="--host and --port"),
        serve_metrics([], "no.such.host.invalid", 0),
    ):
        pytest.fail("there is no such host")


def test_port_is_free_again_afterwards() -> None:
    with serve_metrics([], LOCAL_HOST, 0) as port:
        pass
    with serve_metrics([], LOCAL_HOST, port) as again:
        assert again == port

"""Reports over HTTP: what is served, and what is not."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure.report_server import LOCAL_HOST, report_address, serve_reports


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as response:
        return bytes(response.read())


def test_report_is_served_at_its_address_with_its_newest_content(tmp_path: Path) -> None:
    report = tmp_path / "tear_sheets" / "ppo.html"
    with serve_reports(tmp_path, LOCAL_HOST, 0) as port:
        report.parent.mkdir()
        for content in (b"first", b"second"):
            report.write_bytes(content)
            assert fetch(report_address(port, tmp_path, report)) == content


def test_nothing_above_the_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    with serve_reports(tmp_path / "reports", LOCAL_HOST, 0) as port:
        with pytest.raises(urllib.error.HTTPError) as failure:
            fetch(f"http://{LOCAL_HOST}:{port}/..%2Fsecret.txt")
        assert failure.value.code == 404


def test_port_that_is_taken_is_refused_with_advice(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOCAL_HOST, 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with (
            pytest.raises(SettingsError, match=f"{port}.*ODYSSEY_REPORTS_PORT"),
            serve_reports(tmp_path, LOCAL_HOST, port),
        ):
            pytest.fail("the port is taken")


def test_port_is_free_again_afterwards(tmp_path: Path) -> None:
    with serve_reports(tmp_path, LOCAL_HOST, 0) as port:
        pass
    with serve_reports(tmp_path, LOCAL_HOST, port) as again:
        assert again == port

"""No alert is lost: against real servers that take it, refuse it, redirect it, or say nothing."""

import json
import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from odyssey_assets.infrastructure import notifier
from odyssey_assets.infrastructure.notifier import Alert, Notifier, forget_sent
from odyssey_assets.settings_sections import AlertSettings
from odyssey_assets_tests.infrastructure.alert_servers import mail_server, silent_server, webhook

AT = datetime(2024, 9, 30, 23, tzinfo=UTC)
PATIENCE_S = 0.3


def alert(title: str = "Run failed", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "text": "disk full", "severity": "error", "at": AT, "source": "run 1", **changes,
    }  # fmt: skip
    return Alert(title, **values)


def settings(**changes: Any) -> AlertSettings:
    return AlertSettings(timeout_s=PATIENCE_S, **changes)


def waiting(outbox: Path) -> list[list[str]]:
    """Return the channels that each waiting alert still waits for."""
    return [json.loads(path.read_text())["left"] for path in sorted(outbox.glob("*.json"))]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_alert_is_logged_even_without_a_channel(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "odyssey.alerts"):
        Notifier(settings(), tmp_path / "alerts").send(alert())
    assert caplog.records[0].levelno == logging.ERROR
    assert "Run failed: disk full" in caplog.text
    assert not (tmp_path / "alerts").exists()


def test_webhook_gets_the_text_once_and_the_outbox_is_empty(tmp_path: Path) -> None:
    with webhook() as box:
        sender = Notifier(settings(webhook_url=box.url), tmp_path)
        sender.send(alert())
        sender.send(alert(at=AT + timedelta(hours=1)))
        assert sender.flush() == 0
    assert box.texts == ["[error] Run failed\ndisk full"]


@pytest.mark.parametrize("status", [404, 500])
def test_webhook_that_refuses_gets_the_alert_later(tmp_path: Path, status: int) -> None:
    with webhook(status) as box:
        sender = Notifier(settings(webhook_url=box.url), tmp_path)
        sender.send(alert())
        assert waiting(tmp_path) == [["webhook"]]
        assert sender.flush() == 1
        box.status = 200
        assert Notifier(settings(webhook_url=box.url), tmp_path).flush() == 0
    assert len(box.texts) == 3


def test_redirect_counts_as_a_failure(tmp_path: Path) -> None:
    with webhook() as target, webhook(302, target.url) as box:
        Notifier(settings(webhook_url=box.url), tmp_path).send(alert())
        assert target.texts == []
    assert waiting(tmp_path) == [["webhook"]]


def test_webhook_that_hangs_takes_no_longer_than_the_settings_allow(tmp_path: Path) -> None:
    down = Notifier(settings(webhook_url=f"http://127.0.0.1:{closed_port()}"), tmp_path)
    for number in range(20):
        down.send(alert(source=f"run {number}"))
    with silent_server() as port:
        sender = Notifier(settings(webhook_url=f"http://127.0.0.1:{port}"), tmp_path)
        started = time.monotonic()
        sender.send(alert())
        assert sender.flush() == 20
        assert time.monotonic() - started < 10 * PATIENCE_S


@pytest.mark.parametrize("url", ["file:///etc/hostname", "nonsense", "http://", "http://[::1"])
def test_webhook_that_is_no_address_does_not_raise(tmp_path: Path, url: str) -> None:
    Notifier(settings(webhook_url=url), tmp_path).send(alert())
    assert waiting(tmp_path) == [["webhook"]]


def test_mail_reaches_everybody(tmp_path: Path) -> None:
    with mail_server() as box:
        where = {"smtp_host": "127.0.0.1", "smtp_port": box.port}
        people = ("one@example.com", "two@example.com")
        sender = Notifier(settings(**where, mail_to=people), tmp_path)
        sender.send(alert("Run\nfailed", text="disk full\nüber"))
        assert sender.flush() == 0
    assert tuple(box.recipients) == people
    (message,) = box.messages
    assert "Subject: [odyssey] Run failed" in message
    assert "From: odyssey@localhost" in message


def test_mail_that_one_person_refuses_is_delivered_to_the_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server("gone@example.com") as box:
        where = {"smtp_host": "127.0.0.1", "smtp_port": box.port}
        people = ("gone@example.com", "here@example.com")
        Notifier(settings(**where, mail_to=people), tmp_path).send(alert())
    assert box.recipients == ["here@example.com"]
    assert "gone@example.com" in caplog.text
    assert waiting(tmp_path) == []


def test_each_channel_gets_an_alert_once_though_the_other_is_down(tmp_path: Path) -> None:
    with webhook() as box:
        where = {"smtp_host": "127.0.0.1", "mail_to": ("one@example.com",)}
        down = settings(webhook_url=box.url, smtp_port=closed_port(), **where)
        Notifier(down, tmp_path).send(alert())
        assert waiting(tmp_path) == [["mail"]]
        with mail_server() as mailbox:
            up = settings(webhook_url=box.url, smtp_port=mailbox.port, **where)
            assert Notifier(up, tmp_path).flush() == 0
        assert (len(box.texts), len(mailbox.messages)) == (1, 1)


def test_channel_that_the_settings_no_longer_name_is_not_waited_for(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    Notifier(settings(webhook_url=url), tmp_path).send(alert())
    assert Notifier(settings(), tmp_path).flush() == 0


def test_outbox_that_cannot_be_written_loses_neither_log_nor_delivery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = tmp_path / "alerts"
    outbox.write_text("a file where the folder should be")
    with webhook() as box:
        Notifier(settings(webhook_url=box.url), outbox).send(alert())
    assert box.texts == ["[error] Run failed\ndisk full"]
    assert "cannot be written" in caplog.text


def test_full_disk_loses_neither_log_nor_delivery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    sender = Notifier(settings(webhook_url=f"http://127.0.0.1:{closed_port()}"), tmp_path)
    moment = AT.strftime("%Y%m%dT%H%M%S")
    (tmp_path / f"{moment}-{alert().identity}.tmp").symlink_to(full)
    sender.send(alert())
    assert "No space left" in caplog.text
    assert "Run failed: disk full" in caplog.text


@pytest.mark.parametrize("content", ["{", "[]", '{"title": 1}', '{"left": [], "other": 2}'])
def test_broken_file_in_the_outbox_is_named_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    (tmp_path / "0.json").write_text(content)
    with webhook(500) as box:
        sender = Notifier(settings(webhook_url=box.url), tmp_path)
        sender.send(alert())
        box.status = 200
        assert sender.flush() == 1
    assert len(box.texts) == 2
    assert "0.json cannot be read" in caplog.text


def test_outbox_is_bounded_and_says_what_it_drops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "MAX_WAITING", 3)
    sender = Notifier(settings(webhook_url=f"http://127.0.0.1:{closed_port()}"), tmp_path)
    for number in range(5):
        sender.send(alert(source=f"run {number}", at=AT + timedelta(minutes=number)))
    kept = [json.loads(path.read_text())["source"] for path in sorted(tmp_path.glob("*.json"))]
    assert kept == ["run 2", "run 3", "run 4"]
    assert caplog.text.count("is dropped") == 2


def test_same_alert_about_another_source_is_another_alert(tmp_path: Path) -> None:
    assert alert().identity == alert(at=AT + timedelta(days=1)).identity
    assert alert().identity != alert(source="run 2").identity
    with webhook() as box:
        sender = Notifier(settings(webhook_url=box.url), tmp_path)
        sender.send(alert())
        sender.send(alert(source="run 2"))
    assert len(box.texts) == 2


def test_marks_of_old_alerts_are_forgotten(tmp_path: Path) -> None:
    with webhook() as box:
        sender = Notifier(settings(webhook_url=box.url), tmp_path)
        sender.send(alert())
        assert forget_sent(tmp_path, datetime.now(UTC) - timedelta(days=1)) == 0
        assert forget_sent(tmp_path, datetime.now(UTC) + timedelta(days=1)) == 1
    assert list(tmp_path.iterdir()) == []


def test_queue_keeps_alerts_for_the_next_flush(tmp_path: Path) -> None:
    with webhook() as box:
        sender = Notifier(settings(webhook_url=box.url), tmp_path)
        sender.queue(alert())
        sender.queue(alert())
        sender.queue(alert(source="run 2"))
        assert box.texts == []
        assert sender.flush() == 0
        sender.queue(alert())
        assert sender.flush() == 0
    assert len(box.texts) == 2


def test_queue_that_cannot_be_kept_is_sent_at_once(tmp_path: Path) -> None:
    outbox = tmp_path / "alerts"
    outbox.write_text("a file where the folder should be")
    with webhook() as box:
        Notifier(settings(webhook_url=box.url), outbox).queue(alert())
    assert len(box.texts) == 1

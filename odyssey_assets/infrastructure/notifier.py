"""Alerts: to the log always, to a webhook and by mail where the settings name them.

An alert is written to the outbox first and leaves it when every channel has taken it; what could
not be delivered waits there for the next attempt, across restarts. Sending never raises and never
takes longer than the settings allow, so that whoever alerts goes on with its work. What is worth an
alert belongs to `alerting`.
"""

import http.client
import json
import logging
import smtplib
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.settings_sections import AlertSettings

Severity = Literal["info", "warning", "error"]
LEVELS: Mapping[Severity, int] = {
    "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR,
}  # fmt: skip
LOGGER = logging.getLogger("odyssey.alerts")
WEBHOOK, MAIL = "webhook", "mail"
WAITING_SUFFIX, SENT_SUFFIX = ".json", ".sent"
MAX_WAITING = 1000
TIMEOUTS_A_FLUSH = 4
CHANNEL_ERRORS = (OSError, ValueError, http.client.HTTPException, smtplib.SMTPException)


@dataclass(frozen=True)
class Alert:
    """Something a person should hear of.

    Attributes:
        title: One line.
        text: What happened and what to do.
        severity: How bad it is.
        at: UTC moment.
        source: What it is about, such as a run; the same alert about the same source is sent once.
    """

    title: str
    text: str
    severity: Severity
    at: datetime
    source: str

    @property
    def identity(self) -> str:
        """Hash of everything but the moment."""
        return hash_mapping({**asdict(self), "at": None})[:32]


class Notifier:
    """Sends alerts through every channel that the settings name.

    Args:
        settings: The channels, and how many seconds each may take.
        outbox: Folder of alerts that some channel has not taken yet; created when needed.
    """

    def __init__(self, settings: AlertSettings, outbox: Path) -> None:
        self._settings = settings
        self._outbox = outbox
        self._channels: dict[str, Callable[[Alert], None]] = {}
        if settings.webhook_url is not None:
            self._channels[WEBHOOK] = self._post
        if settings.smtp_host is not None and settings.mail_to:
            self._channels[MAIL] = self._mail

    def send(self, alert: Alert) -> None:
        """Log an alert, keep it, and try every channel once. Never raises."""
        if self._is_known(self._sent_file(alert)):
            return
        self._log(alert)
        wanted = list(self._channels)
        if wanted:
            self._keep(alert, wanted)
            failed = self._deliver(alert, wanted)
            if failed != wanted:
                self._keep(alert, failed)

    def queue(self, alert: Alert) -> None:
        """Log an alert and keep it for the next `flush`, which takes many of them faster.

        Never raises; one that cannot be kept is sent at once.
        """
        if self._is_known(self._sent_file(alert)) or self._is_known(self._waiting_file(alert)):
            return
        self._log(alert)
        wanted = list(self._channels)
        if wanted and not self._keep(alert, wanted):
            self._deliver(alert, wanted)

    def flush(self) -> int:
        """Try again to deliver what waits, oldest first; return how many alerts still wait.

        A channel that fails once is left alone until the next time.
        """
        started = time.monotonic()
        failing: set[str] = set()
        for path in self._waiting():
            if time.monotonic() - started > TIMEOUTS_A_FLUSH * self._settings.timeout_s:
                break
            read = _read(path)
            if read is None:
                continue
            alert, wanted = read
            tried = [name for name in wanted if name in self._channels and name not in failing]
            skipped = [name for name in wanted if name in failing]
            failed = self._deliver(alert, tried)
            failing |= set(failed)
            if [*skipped, *failed] != wanted:
                self._keep(alert, [*skipped, *failed])
        return len(self._waiting())

    def _deliver(self, alert: Alert, channels: list[str]) -> list[str]:
        """Try each of the channels once; return those that failed."""
        failed = []
        for name in channels:
            try:
                self._channels[name](alert)
            except CHANNEL_ERRORS as error:
                LOGGER.warning(
                    "The alert %r waits in %s: its %s failed with %s: %s.",
                    alert.title,
                    self._outbox,
                    name,
                    type(error).__name__,
                    error,
                )
                failed.append(name)
        return failed

    def _log(self, alert: Alert) -> None:
        LOGGER.log(LEVELS[alert.severity], "%s: %s", alert.title, alert.text)

    def _is_known(self, file: Path) -> bool:
        try:
            return file.exists()
        except OSError:
            return False

    def _keep(self, alert: Alert, left: list[str]) -> bool:
        """Write which channels have not taken an alert; mark it as sent if all have."""
        try:
            self._outbox.mkdir(parents=True, exist_ok=True)
            waiting = self._waiting_file(alert)
            if not left:
                self._sent_file(alert).touch()
                waiting.unlink(missing_ok=True)
                return True
            content = {**asdict(alert), "at": alert.at.isoformat(), "left": left}
            temporary = waiting.with_suffix(".tmp")
            temporary.write_text(json.dumps(content))
            temporary.replace(waiting)
            self._drop_oldest()
            return True
        except OSError as error:
            LOGGER.error("%s cannot be written: %s. Free disk space.", self._outbox, error)
            return False

    def _drop_oldest(self) -> None:
        """Bound the outbox: a channel may be gone for good. What is dropped stays in the log."""
        for path in self._waiting()[:-MAX_WAITING]:
            LOGGER.error("More than %d alerts wait; %s is dropped.", MAX_WAITING, path.name)
            path.unlink(missing_ok=True)

    def _waiting(self) -> list[Path]:
        return sorted(self._outbox.glob(f"*{WAITING_SUFFIX}"))

    def _waiting_file(self, alert: Alert) -> Path:
        moment = alert.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
        return self._outbox / f"{moment}-{alert.identity}{WAITING_SUFFIX}"

    def _sent_file(self, alert: Alert) -> Path:
        return self._outbox / f"{alert.identity}{SENT_SUFFIX}"

    def _post(self, alert: Alert) -> None:
        url = str(self._settings.webhook_url)
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("expected a webhook_url that begins with http:// or https://")
        request = urllib.request.Request(  # noqa: S310 (the scheme is one of the two above)
            url,
            data=json.dumps({"text": _message(alert)}).encode(),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=self._settings.timeout_s):
            pass

    def _mail(self, alert: Alert) -> None:
        mail = EmailMessage()
        mail["Subject"] = " ".join(f"[odyssey] {alert.title}".split())
        mail["From"] = self._settings.mail_from
        mail["To"] = ", ".join(self._settings.mail_to)
        mail["Message-ID"] = f"<{alert.identity}@odyssey>"
        mail.set_content(_message(alert))
        with smtplib.SMTP(
            str(self._settings.smtp_host),
            self._settings.smtp_port,
            timeout=self._settings.timeout_s,
        ) as server:
            refused = server.send_message(mail)
        if refused:
            LOGGER.warning("The mail server refused %s.", ", ".join(sorted(refused)))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the message into a request without one: it counts as a failure."""

    def redirect_request(self, *_: Any) -> None:
        return None


def forget_sent(outbox: Path, before: datetime) -> int:
    """Remove the marks of alerts sent before a moment; return how many there were."""
    old = [
        path for path in outbox.glob(f"*{SENT_SUFFIX}") if path.stat().st_mtime < before.timestamp()
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _message(alert: Alert) -> str:
    return f"[{alert.severity}] {alert.title}\n{alert.text}"


def _read(path: Path) -> tuple[Alert, list[str]] | None:
    """Return a waiting alert and the channels it waits for; None if the file is broken."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        left = [str(name) for name in content.pop("left")]
        return Alert(**{**content, "at": datetime.fromisoformat(content["at"])}), left
    except (OSError, ValueError, KeyError, TypeError) as error:
        LOGGER.error("The alert in %s cannot be read: %s. Look at it and delete it.", path, error)
        return None

"""Signed models on disk: nothing is loaded that this home has not written.

A model is a folder of three files: the payload, a manifest, and an HMAC-SHA256 of both under the
home's key. The store never interprets a payload; reading one is the business of whoever wrote it.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.software import git_commit, library_versions

KEY_VARIABLE = "ODYSSEY_SIGNING_KEY"
KEY_FILE = ".signing_key"
PAYLOAD, MANIFEST, SIGNATURE = "model.bin", "manifest.json", "signature.hmac-sha256"
MIN_KEY_LENGTH = 16

_NAME_PART = re.compile(r"(?!\.+$)[A-Za-z0-9._^=-]+")


@dataclass(frozen=True)
class StoredModel:
    """A model whose signature has been verified.

    Attributes:
        folder: Where its files lie.
        payload: The model as its writer made it.
        content: What the model is; JSON-like.
        provenance: Where and when it was made: creation time, software, run. Signed, but not part
            of `model_sha256`.
        model_sha256: SHA-256 of payload and content: the same model made twice has the same.
    """

    folder: Path
    payload: bytes
    content: Mapping[str, Any]
    provenance: Mapping[str, Any]
    model_sha256: str


@dataclass(frozen=True)
class ModelStore:
    """Keeps signed models below one folder, each under the path of its name parts.

    The key is the variable `ODYSSEY_SIGNING_KEY`, else a file that the first save creates with
    access for its owner only. A secret is no setting: settings are shown and logged.

    Attributes:
        folder: The folder; created by the first save.
    """

    folder: Path

    def save(
        self,
        name_parts: Sequence[str],
        payload: bytes,
        content: Mapping[str, Any],
        provenance: Mapping[str, Any],
    ) -> StoredModel:
        """Sign and keep a model as a whole or not at all; one of that name stays as it is.

        Two processes may save the same name at once: one of them wins, both return its model.

        Raises:
            ModelError: The name is illegal, the folder cannot be written, or a model of that name
                is there and has been altered.
        """
        target = self._path(name_parts)
        manifest = _canonical(
            {
                "name": list(name_parts),
                "content": content,
                "model_sha256": _model_sha256(payload, content),
                "provenance": {
                    **provenance,
                    "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "git_commit": git_commit(),
                    "library_versions": library_versions(),
                },
            }
        )
        try:
            self._write(target, payload, manifest)
        except OSError as error:
            raise ModelError(
                f"The model {'/'.join(name_parts)} cannot be written below {self.folder}: {error}. "
                "Make the folder writable, or free disk space."
            ) from error
        return self.load(name_parts)

    def find(self, name_parts: Sequence[str]) -> StoredModel | None:
        """Return the verified model of that name; None if there is none.

        Raises:
            ModelError: It is there and has been altered.
        """
        folder = self._path(name_parts)
        try:
            return self.load(name_parts) if folder.is_dir() else None
        except ModelError:
            if folder.is_dir():
                raise
            return None  # Another process removed it meanwhile.

    def names(self, prefix: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return the names that begin with these parts, in order, whole or altered.

        Raises:
            ModelError: The prefix is illegal.
        """
        found = [Path(folder) for folder, _, files in os.walk(self._path(prefix)) if files]
        return tuple(sorted(folder.relative_to(self.folder).parts for folder in found))

    def remove(self, name_parts: Sequence[str]) -> None:
        """Remove a model as a whole or not at all; whoever reads it meanwhile finds none.

        Raises:
            ModelError: The name is illegal, or the folder cannot be written.
        """
        target = self._path(name_parts)
        if not target.is_dir():
            return
        try:
            temporary = Path(tempfile.mkdtemp(prefix=".removing-", dir=self.folder))
            try:
                with suppress(FileNotFoundError):  # Another process removed it first.
                    target.rename(temporary / PAYLOAD)
            finally:
                shutil.rmtree(temporary)
        except OSError as error:
            raise ModelError(
                f"The model {'/'.join(name_parts)} cannot be removed from {self.folder}: {error}. "
                "Make the folder writable."
            ) from error

    def load(self, name_parts: Sequence[str]) -> StoredModel:
        """Return the model of that name after verifying its signature.

        Raises:
            ModelError: A file is missing or has been altered, or the model was signed with
                another key or under another name.
        """
        target = self._path(name_parts)
        try:
            payload, manifest, signature = (
                (target / name).read_bytes() for name in (PAYLOAD, MANIFEST, SIGNATURE)
            )
        except OSError as error:
            raise ModelError(
                f"The model in {target} cannot be read: {error}. Delete the folder; the next run "
                "fits it anew."
            ) from error
        if not hmac.compare_digest(signature, self._sign(payload, manifest)):
            raise ModelError(
                f"The model in {target} does not carry this home's signature: its payload or "
                "manifest has been altered, or it was signed with another key. Find out who "
                "changed it; delete the folder and the next run fits it anew."
            )
        read = json.loads(manifest)
        if read["name"] != list(name_parts):
            raise ModelError(
                f"The folder {target} holds the model {'/'.join(read['name'])}. Somebody moved "
                "it; delete the folder and the next run fits the right one anew."
            )
        return StoredModel(
            target, payload, read["content"], read["provenance"], read["model_sha256"]
        )

    def _path(self, name_parts: Sequence[str]) -> Path:
        illegal = [part for part in name_parts if not _NAME_PART.fullmatch(part)]
        if illegal or not name_parts:
            raise ModelError(
                f"{list(name_parts)} is no name of a model: {illegal or 'nothing'} cannot be part "
                "of a path."
            )
        return self.folder.joinpath(*name_parts)

    def _write(self, target: Path, payload: bytes, manifest: bytes) -> None:
        signature = self._sign(payload, manifest)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".saving-", dir=self.folder))
        try:
            for name, data in ((PAYLOAD, payload), (MANIFEST, manifest), (SIGNATURE, signature)):
                (temporary / name).write_bytes(data)
            if not target.is_dir():
                _rename(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _sign(self, payload: bytes, manifest: bytes) -> bytes:
        digest = hmac.new(self._key(), digestmod=hashlib.sha256)
        digest.update(len(manifest).to_bytes(8, "big") + manifest + payload)
        return digest.hexdigest().encode()

    def _key(self) -> bytes:
        given = os.environ.get(KEY_VARIABLE)
        if given is not None:
            key, place = given.encode(), KEY_VARIABLE
        else:
            key, place = _key_in(self.folder / KEY_FILE), str(self.folder / KEY_FILE)
        if len(key) < MIN_KEY_LENGTH:
            raise ModelError(
                f"The signing key in {place} has {len(key)} bytes; at least {MIN_KEY_LENGTH} are "
                "needed. Set a longer one; models signed with the old key must be fitted anew."
            )
        return key


def _model_sha256(payload: bytes, content: Mapping[str, Any]) -> str:
    described = _canonical(content)
    return hashlib.sha256(len(described).to_bytes(8, "big") + described + payload).hexdigest()


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _rename(temporary: Path, target: Path) -> None:
    try:
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        # Another process saved the same model first; its model stays.


def _key_in(path: Path) -> bytes:
    """Return the key in `path`; create it first if needed, whole and readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".key-", dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass  # Another process was first; its key counts.
        finally:
            Path(temporary).unlink()
    return path.read_bytes()

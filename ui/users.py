"""Who may log in to the page of a lab server: a file of names with hashed passwords, and nothing else in it.

A line is `name:n:r:p:salt:digest`, the last two in base64. Hashed by scrypt (RFC 7914) with 32 MiB of memory for each
try, so that a stolen file is of little use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import SettingsError

SHORTEST_PASSWORD = 10
_NAME = re.compile(r"[\w.@-]{1,64}")
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
_MEMORY = 64 * 1024 * 1024
_LONGEST_PASSWORD = 1024


@dataclass(frozen=True, slots=True)
class _Hashed:
    """A password as it is kept, with scrypt's parameters."""

    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    def is_of(self, password: str) -> bool:
        """Whether this is the password."""
        return hmac.compare_digest(self.digest, _scrypt(password, self.salt, self.cost, self.block, self.parallel))


class Users:
    """The users of a file. What is changed in it counts at once."""

    def __init__(self, file: Path) -> None:
        """Raises SettingsError where the file cannot be read, or holds no user."""
        self.file = file
        if not _read(file):
            raise SettingsError(f"{file} holds no user; add one with: paperchat user {file} NAME")
        # For a name that nobody has, so that a try takes as long as for one that somebody has.
        self._nobody = _hashed(secrets.token_hex())

    def may_enter(self, name: str, password: str) -> bool:
        """Whether somebody of this name has this password."""
        if len(password) > _LONGEST_PASSWORD:
            return False
        known = _read(self.file).get(name)
        return (known or self._nobody).is_of(password) and known is not None


def add(file: Path, name: str, password: str) -> None:
    """Let somebody in, or give them another password. Raises SettingsError."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is no name: letters, digits and . _ @ - make one, at most 64 of them")
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise SettingsError(f"a password has {SHORTEST_PASSWORD} characters or more")
    users = (_read(file) if file.exists() else {}) | {name: _hashed(password)}
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        part.write_text("".join(f"{_line(each, users[each])}\n" for each in sorted(users)), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SettingsError(f"the users' file {file} cannot be written: {error.strerror}") from error


def _read(file: Path) -> dict[str, _Hashed]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return dict(_parsed(line) for line in lines if line.strip())
    except OSError as error:
        raise SettingsError(f"the users' file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"the users' file {file} is damaged; write it anew with: paperchat user") from error


def _parsed(line: str) -> tuple[str, _Hashed]:
    name, cost, block, parallel, salt, digest = line.split(":")
    plain = (base64.b64decode(part, validate=True) for part in (salt, digest))
    return name, _Hashed(int(cost), int(block), int(parallel), *plain)


def _line(name: str, hashed: _Hashed) -> str:
    encoded = (base64.b64encode(part).decode() for part in (hashed.salt, hashed.digest))
    return ":".join([name, str(hashed.cost), str(hashed.block), str(hashed.parallel), *encoded])


def _hashed(password: str) -> _Hashed:
    salt = secrets.token_bytes(16)
    return _Hashed(_COST, _BLOCK, _PARALLEL, salt, _scrypt(password, salt, _COST, _BLOCK, _PARALLEL))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    plain = password.encode("utf-8", "replace")
    return hashlib.scrypt(plain, salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32)

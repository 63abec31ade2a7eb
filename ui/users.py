"""Who may log in to the page of a shared server: a file of names with hashed passwords.

A line is `name:n:r:p:salt:digest`, the last two in base64. Passwords are hashed by scrypt (RFC 7914), which takes
32 MiB of memory for each guess, so that a stolen file is of little use.
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

MIN_PASSWORD_LENGTH = 10
_MAX_PASSWORD_LENGTH = 1024
_NAME = re.compile(r"[\w.@-]{1,64}")
_COST, _BLOCK_SIZE, _PARALLELISM = 2**15, 8, 1
_MAX_MEMORY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _PasswordHash:
    """The digest of a password with the parameters of scrypt."""

    cost: int
    block_size: int
    parallelism: int
    salt: bytes
    digest: bytes

    def matches(self, password: str) -> bool:
        digest = _scrypt(password, self.salt, self.cost, self.block_size, self.parallelism)
        return hmac.compare_digest(self.digest, digest)


class Users:
    """The users of a file; changes to the file take effect at once."""

    def __init__(self, file: Path) -> None:
        """Raise SettingsError if the file cannot be read or holds no user."""
        self.file = file
        if not _read(file):
            raise SettingsError(f"{file} holds no user; add one with: paperchat user {file} NAME")
        # Checked for unknown names, so that they take as long to refuse as wrong passwords.
        self._decoy = _hash_password(secrets.token_hex())

    def authenticate(self, name: str, password: str) -> bool:
        """Tell whether the user exists and has this password."""
        if len(password) > _MAX_PASSWORD_LENGTH:
            return False
        stored = _read(self.file).get(name)
        return (stored or self._decoy).matches(password) and stored is not None


def add_user(file: Path, name: str, password: str) -> None:
    """Add a user, or change the password of an existing one. Raises SettingsError."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is not a valid name: use up to 64 letters, digits and . _ @ -")
    if not MIN_PASSWORD_LENGTH <= len(password) <= _MAX_PASSWORD_LENGTH:
        raise SettingsError(f"a password needs at least {MIN_PASSWORD_LENGTH} characters")
    users = (_read(file) if file.exists() else {}) | {name: _hash_password(password)}
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        part.write_text("".join(f"{_line(user, users[user])}\n" for user in sorted(users)), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SettingsError(f"the users' file {file} cannot be written: {error.strerror}") from error


def _read(file: Path) -> dict[str, _PasswordHash]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return dict(_parse(line) for line in lines if line.strip())
    except OSError as error:
        raise SettingsError(f"the users' file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"the users' file {file} is damaged; create a new one with: paperchat user") from error


def _parse(line: str) -> tuple[str, _PasswordHash]:
    name, cost, block_size, parallelism, salt, digest = line.split(":")
    decoded = (base64.b64decode(part, validate=True) for part in (salt, digest))
    return name, _PasswordHash(int(cost), int(block_size), int(parallelism), *decoded)


def _line(name: str, stored: _PasswordHash) -> str:
    encoded = (base64.b64encode(part).decode() for part in (stored.salt, stored.digest))
    return ":".join([name, str(stored.cost), str(stored.block_size), str(stored.parallelism), *encoded])


def _hash_password(password: str) -> _PasswordHash:
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _COST, _BLOCK_SIZE, _PARALLELISM)
    return _PasswordHash(_COST, _BLOCK_SIZE, _PARALLELISM, salt, digest)


def _scrypt(password: str, salt: bytes, cost: int, block_size: int, parallelism: int) -> bytes:
    encoded = password.encode("utf-8", "replace")
    return hashlib.scrypt(encoded, salt=salt, n=cost, r=block_size, p=parallelism, maxmem=_MAX_MEMORY, dklen=32)

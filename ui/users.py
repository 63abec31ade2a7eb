"""Who may log in to the page of a shared server: a file of names with hashed passwords.

A line is `name:n:r:p:salt:digest`, the last two in base64, with `:role:libraries` behind it, the libraries separated by
commas, for a user who may not do everything. Passwords are hashed by scrypt (RFC 7914), which takes 32 MiB of memory
for each guess, so that a stolen file is of little use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.errors import SettingsError
from ui.permissions import UNLIMITED, Permissions, Role

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


@dataclass(frozen=True, slots=True)
class User:
    """A user of the file."""

    name: str
    password: _PasswordHash
    permissions: Permissions


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
        user = _read(self.file).get(name)
        return (user.password if user else self._decoy).matches(password) and user is not None

    def permissions(self, name: str) -> Permissions | None:
        """Return what a user may do; None where the file no longer has the user. Raises SettingsError."""
        user = _read(self.file).get(name)
        return user.permissions if user else None


def all_users(file: Path) -> list[User]:
    """Return the users of a file, by name. Raises SettingsError."""
    return sorted(_read(file).values(), key=lambda user: user.name)


def find_user(file: Path, name: str) -> User | None:
    """Return the user of this name; None where the file, which need not exist, has none. Raises SettingsError."""
    return _read(file).get(name) if file.exists() else None


def add_user(file: Path, name: str, password: str, permissions: Permissions | None = None) -> None:
    """Add a user, or change the password of an existing one, whose permissions stay where none are given.

    A new user may do everything where none are given. Raises SettingsError.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is not a valid name: use up to 64 letters, digits and . _ @ -")
    if not MIN_PASSWORD_LENGTH <= len(password) <= _MAX_PASSWORD_LENGTH:
        raise SettingsError(f"a password needs at least {MIN_PASSWORD_LENGTH} characters")
    before = find_user(file, name)
    permissions = permissions or (before.permissions if before else UNLIMITED)
    _put(file, User(name, _hash_password(password), permissions))


def set_permissions(file: Path, user: User, permissions: Permissions) -> None:
    """Change what a user may do; the password stays. Raises SettingsError."""
    _put(file, replace(user, permissions=permissions))


def _put(file: Path, user: User) -> None:
    users = (_read(file) if file.exists() else {}) | {user.name: user}
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        part.write_text("".join(f"{_line(users[name])}\n" for name in sorted(users)), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SettingsError(f"the users' file {file} cannot be written: {error.strerror}") from error


def _read(file: Path) -> dict[str, User]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return {user.name: user for user in map(_parse, filter(str.strip, lines))}
    except OSError as error:
        raise SettingsError(f"the users' file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"the users' file {file} is damaged; create a new one with: paperchat user") from error


def _parse(line: str) -> User:
    name, cost, block_size, parallelism, salt, digest, *limits = line.split(":")
    role, libraries = limits or (Role.WRITE, "")
    decoded = (base64.b64decode(part, validate=True) for part in (salt, digest))
    password = _PasswordHash(int(cost), int(block_size), int(parallelism), *decoded)
    return User(name, password, Permissions(Role(role), tuple(filter(None, libraries.split(",")))))


def _line(user: User) -> str:
    stored, permissions = user.password, user.permissions
    encoded = (base64.b64encode(part).decode() for part in (stored.salt, stored.digest))
    limits = [] if permissions == UNLIMITED else [permissions.role, ",".join(permissions.libraries)]
    return ":".join([user.name, str(stored.cost), str(stored.block_size), str(stored.parallelism), *encoded, *limits])


def _hash_password(password: str) -> _PasswordHash:
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _COST, _BLOCK_SIZE, _PARALLELISM)
    return _PasswordHash(_COST, _BLOCK_SIZE, _PARALLELISM, salt, digest)


def _scrypt(password: str, salt: bytes, cost: int, block_size: int, parallelism: int) -> bytes:
    encoded = password.encode("utf-8", "replace")
    return hashlib.scrypt(encoded, salt=salt, n=cost, r=block_size, p=parallelism, maxmem=_MAX_MEMORY, dklen=32)

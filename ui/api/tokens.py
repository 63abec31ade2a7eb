"""Bearer tokens of programs that use the server: named, revocable, stored only as hashes.

A line of the file is `name:role:created:sha256`, with `:libraries` behind it, separated by commas, where it is limited
to some. A token has 256 random bits, so that a fast hash protects it as well as a slow one would.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import NotFoundError, SettingsError
from ui.permissions import Permissions, Role, checked_libraries

if TYPE_CHECKING:
    from filelock import FileLock

    from assistant.settings import Settings

FILE = "tokens"
_PREFIX = "paperchat-"
_NAME = re.compile(r"[\w.@-]{1,64}")
_MAX_SECRET_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret; `created` is a date, ISO 8601."""

    name: str
    permissions: Permissions
    created: str
    digest: str


class Tokens:
    """The tokens of a file; changes to the file take effect at once."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def all(self) -> list[Token]:
        """Return the tokens by name. Raises SettingsError where the file is damaged."""
        return sorted(self._read().values(), key=lambda token: token.name)

    def find(self, secret: str) -> Token | None:
        """Return the token with this secret, if there is one. Raises SettingsError where the file is damaged."""
        if len(secret) > _MAX_SECRET_LENGTH:
            return None
        digest = _digest(secret)
        return next((token for token in self._read().values() if hmac.compare_digest(token.digest, digest)), None)

    def add(self, name: str, role: Role, libraries: Collection[str] = ()) -> str:
        """Create a token and return its secret, which is not stored. Raises SettingsError."""
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{name!r} is not a valid name: use up to 64 letters, digits and . _ @ -")
        secret = _PREFIX + secrets.token_urlsafe(32)
        with self._locked():
            tokens = self._read()
            if name in tokens:
                raise SettingsError(f"there is a token named {name} already; remove it first, or choose another name")
            created = datetime.now(UTC).date().isoformat()
            permissions = Permissions(role, checked_libraries(libraries))
            self._write(tokens | {name: Token(name, permissions, created, _digest(secret))})
        return secret

    def remove(self, name: str) -> None:
        """Revoke a token. Raises NotFoundError and SettingsError."""
        with self._locked():
            tokens = self._read()
            if name not in tokens:
                raise NotFoundError(f"no token is named {name!r}; paperchat token list lists them")
            self._write({other: token for other, token in tokens.items() if other != name})

    def _locked(self) -> FileLock:
        from filelock import FileLock

        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"the file of tokens {self.file} cannot be written: {error.strerror}") from error
        return FileLock(self.file.with_name(f"{self.file.name}.lock"), timeout=10)

    def _read(self) -> dict[str, Token]:
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
            return {token.name: token for token in map(_parse, filter(str.strip, lines))}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SettingsError(f"the file of tokens {self.file} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise SettingsError(f"the file of tokens {self.file} is damaged; delete it and add the tokens") from error

    def _write(self, tokens: Mapping[str, Token]) -> None:
        part = self.file.with_name(f"{self.file.name}.part")
        lines = map(_line, tokens.values())
        try:
            part.touch(mode=0o600)
            part.write_text("".join(lines), encoding="utf-8")
            part.replace(self.file)
        except OSError as error:
            raise SettingsError(f"the file of tokens {self.file} cannot be written: {error.strerror}") from error


def open_tokens(settings: Settings) -> Tokens:
    """Return the tokens of a server over all libraries of the settings."""
    return Tokens(settings.shared / FILE)


def _parse(line: str) -> Token:
    name, role, created, digest, *limits = line.split(":")
    if len(limits) > 1:
        raise ValueError(line)
    libraries = tuple(limits[0].split(",")) if limits else ()
    return Token(name, Permissions(Role(role), libraries), created, digest)


def _line(token: Token) -> str:
    limits = [",".join(token.permissions.libraries)] if token.permissions.libraries else []
    return ":".join([token.name, token.permissions.role, token.created, token.digest, *limits]) + "\n"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

"""What a caller may do: the one place that decides it for the API, for chat clients, for MCP and for the page.

A caller has a role, and may be limited to certain libraries. To ask, to search and to see is reading, and so are a
caller's own conversations and feedback. What everybody sees is writing: papers, collections, tags, notes, corrections.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from assistant.errors import PaperchatError, SettingsError

# What the library without a name is called here; one that is really named so cannot be granted by itself.
DEFAULT_LIBRARY = "default"
_LIBRARY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Role(StrEnum):
    """What a user or a token may do: ask and see, or also change the library."""

    READ = "read"
    WRITE = "write"


class ForbiddenError(PaperchatError):
    """The caller is known, and may not do this."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a caller may do, in which libraries; in all of them where none is named."""

    role: Role = Role.WRITE
    libraries: tuple[str, ...] = ()

    @property
    def may_write(self) -> bool:
        """Return whether the caller may change the libraries that it may use."""
        return self.role is Role.WRITE

    def may_use(self, library: str | None) -> bool:
        """Return whether the caller may use a library; None is the one without a name."""
        if not self.libraries:
            return True
        if library is None:
            return DEFAULT_LIBRARY in self.libraries
        return library != DEFAULT_LIBRARY and library in self.libraries

    def require_write(self) -> None:
        """Raise ForbiddenError where the caller may not change the library."""
        if not self.may_write:
            raise ForbiddenError("you may read only: papers, collections, tags, notes and corrections need role write")

    def require_library(self, library: str | None) -> None:
        """Raise ForbiddenError where the caller may not use a library; None is the one without a name."""
        if not self.may_use(library):
            raise ForbiddenError(f"you may not use this library; you may use: {', '.join(self.libraries)}")

    def __str__(self) -> str:
        return f"{self.role}, {', '.join(self.libraries) or 'every library'}"


# A single user of this machine, or a server's own work.
UNLIMITED = Permissions()


def checked_libraries(names: Collection[str]) -> tuple[str, ...]:
    """Return the names of libraries in order, each once. Raises SettingsError for what cannot name a library."""
    for name in names:
        if not _LIBRARY.fullmatch(name):
            raise SettingsError(f"{name!r} names no library: use lower-case letters, digits and hyphens")
    return tuple(sorted(set(names)))

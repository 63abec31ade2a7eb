"""Errors fit to show to a user: one plain sentence each, with the remedy where there is one.

PaperchatError
├── SettingsError         a setting is missing, misspelt or out of range
├── InputError            an input cannot be read: names file, line and reason
├── NotFoundError         no such paper or conversation
├── LibraryError          the library on disk cannot serve
│   ├── RecipeMismatch    the indexes were built with another embedder or chunking
│   ├── LibraryBusy       another process is writing
│   ├── StoreUnavailable  the Chroma server that holds the vectors cannot be reached
│   └── LibraryWriteError it cannot be written: no permission, disk full
├── ModelError            an embedder or a language model failed or is not available
└── ClusterError          the workers that encode papers cannot be reached, or failed
"""

from __future__ import annotations

from collections.abc import Iterator


class PaperchatError(Exception):
    """Base of every error that paperchat raises on purpose."""


class SettingsError(PaperchatError):
    """A setting is missing, misspelt or out of range."""


class InputError(PaperchatError):
    """An input cannot be read.

    `source` is the file's name, `line` is 1-based, or 0 for the whole file.
    """

    def __init__(self, source: str, reason: str, line: int = 0) -> None:
        super().__init__(source, reason, line)
        self.source, self.reason, self.line = source, reason, line

    def __str__(self) -> str:
        location = f"{self.source}:{self.line}" if self.line else self.source
        return f"{location}: {self.reason}"


class NotFoundError(PaperchatError):
    """No paper, or no conversation, has the requested id."""


class LibraryError(PaperchatError):
    """The library on disk cannot serve."""


class RecipeMismatch(LibraryError):
    """The indexes were built with another embedder or chunking than the settings ask for."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class StoreUnavailable(LibraryError):
    """The server that holds the library's vectors cannot be reached, refuses, or does not answer as it should."""


class LibraryWriteError(LibraryError):
    """The library's directory cannot be written."""


class ModelError(PaperchatError):
    """An embedder or a language model failed, or is not available."""


class ClusterError(PaperchatError):
    """The processes or the cluster that encode papers cannot be reached, or have failed."""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, what it was raised from, and so on; of a group, also its members."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__

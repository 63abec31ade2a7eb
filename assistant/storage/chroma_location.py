"""Where a store's vectors lie: in a folder of this machine, or on a Chroma server.

What differs between the two is here: how Chroma is opened, who else may write meanwhile, what failures mean.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import chromadb
import httpx
from chromadb.api import ServerAPI
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.config import System
from chromadb.errors import AuthorizationError, ChromaAuthError, ChromaError, InternalError, NotFoundError

from assistant.errors import LibraryError, LibraryWriteError, PaperchatError, StoreUnavailable
from assistant.llm.errors import chain

OPENED, READ, WRITTEN = "opened", "read", "written"
_REBUILD = "run: paperchat reindex"
# Nothing is told to anybody, whatever the environment says.
_QUIET: dict[str, Any] = {"anonymized_telemetry": False, "chroma_otel_granularity": None}
# Seconds in which a server that is there takes a connection.
_CONNECTING = 5.0
_REFUSED = (401, 403)
_LONGEST = 200


class Place(Protocol):
    """Where Chroma keeps a store. `str()` of it is how messages call the store."""

    @property
    def collection(self) -> str:
        """The name of the store's collection."""
        ...

    @property
    def where(self) -> str:
        """The folder, or the address and the collection."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether what others write is seen at once; else a connection keeps a view of its own until it is closed."""
        ...

    def connect(self) -> Any:
        """A connection, with the methods of a client of Chroma's that a store needs."""
        ...

    def failing(self, deed: str) -> AbstractContextManager[None]:
        """A context in which Chroma's failures to be opened, read or written become LibraryErrors with the cure."""
        ...

    def wipe(self) -> None:
        """Delete the store, whatever its recipe and state. Raises LibraryError where that cannot be done."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine, in which one process at a time may write."""

    path: Path
    collection: ClassVar[str] = "paperchat"
    is_shared: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"the store in {self.path}"

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.path)

    def connect(self) -> Any:
        """Chroma in this process; the folder is made where there is none."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            return chromadb.PersistentClient(path=str(self.path), settings=ChromaSettings(**_QUIET))
        except Exception:
            _forget_failed(str(self.path))
            raise

    @contextmanager
    def failing(self, deed: str) -> Iterator[None]:
        """Raises LibraryWriteError where it cannot be written, LibraryError where it cannot be opened or read."""
        try:
            yield
        except (ChromaError, OSError, ValueError) as error:
            if deed == WRITTEN:
                raise LibraryWriteError(f"{self} cannot be written: {error}") from error
            raise LibraryError(f"{self} cannot be {deed} ({error}); {_REBUILD}") from error

    def wipe(self) -> None:
        """Delete the store. Nobody may have it open."""
        try:
            with closing(self.connect()) as client, suppress(NotFoundError):
                client.delete_collection(self.collection)
        except Exception:  # a damaged store fails in ways of its own, and is to be deleted all the same
            shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Server:
    """A collection of a Chroma server; `seconds` is how long an answer may take."""

    address: str
    collection: str
    tenant: str
    database: str
    seconds: float
    token: str | None = field(default=None, repr=False)
    is_shared: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"the store on the Chroma server {self.address}"

    @property
    def where(self) -> str:
        """The server's address, and what the collection is called there."""
        return f"{self.address}, collection {self.collection}"

    def connect(self) -> Any:
        """A connection. Nothing is asked of the server yet."""
        return _Connection(self)

    @contextmanager
    def failing(self, deed: str) -> Iterator[None]:
        """Raises LibraryWriteError where it cannot be written, LibraryError where its collection is damaged or gone.

        Raises StoreUnavailable where it cannot be asked, or does not answer as Chroma does.
        """
        try:
            yield
        except PaperchatError:
            raise
        except Exception as error:  # another program at the address, or one between, answers in ways of its own
            kind, reason = _failure(error, self)
            said = f"{self} cannot be {deed}: {reason.replace(self.token, '***') if self.token else reason}"
            raise (LibraryWriteError if deed == WRITTEN else kind)(said) from error

    def wipe(self) -> None:
        """Delete the collection."""
        with self.failing(WRITTEN), closing(self.connect()) as connection, suppress(NotFoundError):
            connection.delete_collection(self.collection)


class _Connection:
    """What a store needs of Chroma's client, which would wait for ever, in one database of a server."""

    def __init__(self, server: Server) -> None:
        sent = {"Authorization": f"Bearer {server.token}", "X-Chroma-Token": server.token} if server.token else {}
        settings = ChromaSettings(
            **_QUIET,
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=server.address,
            chroma_server_http_port=0,  # it stands in the address
            chroma_server_headers=sent,
            # Certificates are read for nothing where no connection is encrypted, and that takes longest of all.
            chroma_server_ssl_verify=None if server.address.startswith("https:") else False,
        )
        api: Any = ServerAPI
        self._api = System(settings).instance(api)
        self._api._session.timeout = httpx.Timeout(server.seconds, connect=min(_CONNECTING, server.seconds))
        self._where = {"tenant": server.tenant, "database": server.database}

    def get_max_batch_size(self) -> int:
        return int(self._api.get_max_batch_size())

    def get_collection(self, name: str, embedding_function: None) -> Collection:
        return Collection(self._api, self._api.get_collection(name, **self._where), embedding_function)

    def create_collection(self, name: str, embedding_function: None, **arguments: Any) -> Collection:
        return Collection(self._api, self._api.create_collection(name, **arguments, **self._where), embedding_function)

    def delete_collection(self, name: str) -> None:
        self._api.delete_collection(name, **self._where)

    def close(self) -> None:
        self._api._session.close()


def _failure(error: Exception, server: Server) -> tuple[type[LibraryError], str]:
    """What a failure of a server's means, in words, with the cure."""
    for each in chain(error):
        if isinstance(each, httpx.TimeoutException):
            later = "it may be busy, or want more time (PAPERCHAT_STORE_TIMEOUT)"
            return StoreUnavailable, f"no answer within {server.seconds:g} seconds; {later}"
        if isinstance(each, httpx.TransportError):
            return StoreUnavailable, f"no connection ({each}); is the server running?"
        if isinstance(each, httpx.HTTPStatusError):
            return StoreUnavailable, _status(each.response.status_code, each.response.reason_phrase, server)
        if isinstance(each, ChromaAuthError | AuthorizationError):
            return StoreUnavailable, _status(each.code(), "", server)
        if isinstance(each, NotFoundError | InternalError):
            return LibraryError, f"{_line(each)}; {_REBUILD}"
        if isinstance(each, ChromaError):
            return StoreUnavailable, f"{_line(each)} (tenant {server.tenant}, database {server.database})"
    return StoreUnavailable, f"what answers there is not Chroma ({_line(error)}); is the address right?"


def _status(code: int, phrase: str, server: Server) -> str:
    said = f"it answers {code} {phrase}".rstrip()
    if code in _REFUSED:
        return f"{said}; PAPERCHAT_STORE_TOKEN is {'refused' if server.token else 'not set'}"
    return f"{said}; is a Chroma server running there?"


def _line(error: BaseException) -> str:
    """What an error says, in one line of bearable length."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


def _forget_failed(folder: str) -> None:
    """Let a directory that could not be opened be tried again: Chroma would go on with its half-made system.

    Its own clear_system_cache forgets every other store of the process too: one opened again later would then be
    stopped by the closing of the first.
    """
    if folder not in SharedSystemClient._identifier_to_refcount:  # counted only once it was opened
        SharedSystemClient._identifier_to_system.pop(folder, None)

"""Where Chroma keeps a store's vectors: in a folder of this machine, or on a Chroma server.

The two differ in how a client connects, in who else may write meanwhile, and in what their failures mean.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import chromadb
import httpx
from chromadb.api import ServerAPI
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.config import System
from chromadb.errors import (
    AuthorizationError,
    BatchSizeExceededError,
    ChromaAuthError,
    ChromaError,
    InternalError,
    NotFoundError,
)

from assistant.errors import LibraryError, LibraryWriteError, PaperchatError, StoreUnavailable, causes
from assistant.settings import MAX_SHARDS
from assistant.text.printable import one_line

_REMEDY = "run: paperchat reindex"
# Telemetry stays off, whatever the environment says.
_NO_TELEMETRY: dict[str, Any] = {"anonymized_telemetry": False, "chroma_otel_granularity": None}
_CONNECT_SECONDS = 5.0
_REFUSED, _TOO_LARGE = (401, 403), 413
# What Chroma says of a collection that another process is deleting.
_BEING_DELETED = re.compile("Missing (metadata|vector|record) segment")
# As Chroma's hosted service refuses a request for its size; other quotas are not met by smaller requests.
_SIZE_QUOTA = re.compile(
    r"'(?:Number of (?:records|results|IDs to filter by in a query)|Limit value)' exceeded .* exceeds limit of (\d+)"
)
_MAX_MESSAGE_CHARACTERS = 200


class Operation(StrEnum):
    """What was attempted with a store, as messages put it."""

    OPEN = "opened"
    READ = "read"
    WRITE = "written"


@dataclass(frozen=True, slots=True)
class ChromaFolder:
    """A store in a folder of this machine, to which one process at a time may write.

    A client does not see what other processes write until it is closed and opened again: `is_shared` is false.
    """

    path: Path
    collection: ClassVar[str] = "paperchat"
    is_shared: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"the store in {self.path}"

    @property
    def address(self) -> str:
        """Return the folder's path."""
        return str(self.path)

    def connect(self) -> Any:
        """Open Chroma in this process; a missing folder is created."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            return chromadb.PersistentClient(path=str(self.path), settings=ChromaSettings(**_NO_TELEMETRY))
        except Exception:
            _forget_failed(str(self.path))
            raise

    @contextmanager
    def translate_errors(self, operation: Operation) -> Iterator[None]:
        """Raise errors of Chroma as LibraryWriteError in a write, as LibraryError otherwise."""
        try:
            yield
        except (ChromaError, OSError, ValueError) as error:
            if operation is Operation.WRITE:
                raise LibraryWriteError(f"{self} cannot be written: {error}") from error
            raise LibraryError(f"{self} cannot be {operation} ({error}); {_REMEDY}") from error

    def wipe(self) -> None:
        """Delete the store, whatever its recipe and state. It must not be open anywhere."""
        try:
            with closing(self.connect()) as client, suppress(NotFoundError):
                client.delete_collection(self.collection)
        except Exception:  # a damaged store can raise anything, and is to be deleted nevertheless
            shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """A store in a collection of a Chroma server, or one of its shards; `timeout` limits a request, in seconds.

    Clients see at once what others write: `is_shared` is true.
    """

    url: str
    collection: str
    tenant: str
    database: str
    timeout: float
    token: str | None = field(default=None, repr=False)
    shard: int = 0
    is_shared: ClassVar[bool] = True

    def __str__(self) -> str:
        shard = f"shard {self.shard} of " if self.shard else ""
        return f"{shard}the store on the Chroma server {self.url}"

    @property
    def address(self) -> str:
        """Return the server's URL and the name of the collection."""
        return f"{self.url}, collection {self.collection}"

    def of_shard(self, shard: int) -> ChromaServer:
        """Return the location of a shard. The first one, 0, has the name of a store that is not sharded."""
        return replace(self, collection=f"{self.collection}-{shard}", shard=shard) if shard else self

    def connect(self) -> Any:
        """Create a client. No request is sent yet."""
        return _ServerClient(self)

    @contextmanager
    def translate_errors(self, operation: Operation) -> Iterator[None]:
        """Raise any error as LibraryWriteError in a write, as LibraryError where the collection is damaged or missing.

        Raises StoreUnavailable where the server cannot be reached or does not reply as Chroma does.
        """
        try:
            yield
        except PaperchatError:
            raise
        except Exception as error:  # a proxy, or another program at the address, can cause anything
            kind, reason = _explain(error, self)
            message = f"{self} cannot be {operation}: {reason.replace(self.token, '***') if self.token else reason}"
            raise (LibraryWriteError if operation is Operation.WRITE else kind)(message) from error

    def wipe(self) -> None:
        """Delete the collections of all shards that may exist, whatever their number. Raises LibraryWriteError.

        The first shard, by which a store is recognised, is the last to go: an interruption leaves a store that is seen
        to be damaged.
        """
        with self.translate_errors(Operation.WRITE), closing(self.connect()) as client:
            for shard in reversed(range(MAX_SHARDS)):
                with suppress(NotFoundError):
                    client.delete_collection(self.of_shard(shard).collection)


ChromaLocation: TypeAlias = ChromaFolder | ChromaServer


def size_limit(error: BaseException) -> int | None:
    """Return how many rows a request may have that was refused for its size; 0 where the server does not tell.

    None where the error has another cause.
    """
    for cause in causes(error):
        if quota := _SIZE_QUOTA.search(str(cause)):
            return int(quota.group(1))
        if isinstance(cause, BatchSizeExceededError):
            return 0
        if isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code == _TOO_LARGE:
            return 0
    return None


class _ServerClient:
    """The part of Chroma's client that a store calls, for one database of a server, and with time limits."""

    def __init__(self, server: ChromaServer) -> None:
        headers = {"Authorization": f"Bearer {server.token}", "X-Chroma-Token": server.token} if server.token else {}
        settings = ChromaSettings(
            **_NO_TELEMETRY,
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=server.url,
            chroma_server_http_port=0,  # the URL contains it
            chroma_server_headers=headers,
            # Loading the certificates is the slowest step, and useless for a connection without TLS.
            chroma_server_ssl_verify=None if server.url.startswith("https:") else False,
        )
        api: Any = ServerAPI
        self._api = System(settings).instance(api)
        self._api._session.timeout = httpx.Timeout(server.timeout, connect=min(_CONNECT_SECONDS, server.timeout))
        self._database = {"tenant": server.tenant, "database": server.database}

    def get_max_batch_size(self) -> int:
        return int(self._api.get_max_batch_size())

    def get_collection(self, name: str, embedding_function: None) -> Collection:
        return Collection(self._api, self._api.get_collection(name, **self._database), embedding_function)

    def create_collection(self, name: str, embedding_function: None, **arguments: Any) -> Collection:
        model = self._api.create_collection(name, **arguments, **self._database)
        return Collection(self._api, model, embedding_function)

    def delete_collection(self, name: str) -> None:
        self._api.delete_collection(name, **self._database)

    def close(self) -> None:
        self._api._session.close()


def _explain(error: Exception, server: ChromaServer) -> tuple[type[LibraryError], str]:
    """Return the type of error to raise for a server's failure, and the reason with its remedy."""
    for cause in causes(error):
        if isinstance(cause, httpx.TimeoutException):
            remedy = "it may be busy, or need more time (PAPERCHAT_STORE_TIMEOUT)"
            return StoreUnavailable, f"no answer within {server.timeout:g} seconds; {remedy}"
        if isinstance(cause, httpx.TransportError):
            return StoreUnavailable, f"no connection ({cause}); is the server running?"
        if isinstance(cause, httpx.HTTPStatusError):
            return StoreUnavailable, _explain_status(cause.response.status_code, cause.response.reason_phrase, server)
        if isinstance(cause, ChromaAuthError | AuthorizationError):
            return StoreUnavailable, _explain_status(cause.code(), "", server)
        if isinstance(cause, NotFoundError | InternalError) or _BEING_DELETED.search(str(cause)):
            return LibraryError, f"{_message(cause)}; {_REMEDY}"
        if isinstance(cause, ChromaError):
            return StoreUnavailable, f"{_message(cause)} (tenant {server.tenant}, database {server.database})"
    return StoreUnavailable, f"the server there is not Chroma ({_message(error)}); is the address right?"


def _explain_status(code: int, phrase: str, server: ChromaServer) -> str:
    status = f"it answers {code} {phrase}".rstrip()
    if code in _REFUSED:
        return f"{status}; PAPERCHAT_STORE_TOKEN is {'refused' if server.token else 'not set'}"
    return f"{status}; is a Chroma server running there?"


def _message(error: BaseException) -> str:
    """Return an error's message as one printable line, cut at a readable length."""
    return one_line(str(error))[:_MAX_MESSAGE_CHARACTERS] or type(error).__name__


def _forget_failed(folder: str) -> None:
    """Make Chroma forget a folder that could not be opened, or it would reuse the half-made system.

    Its own clear_system_cache also forgets the other stores of the process: closing one of them would then stop
    others that were opened later.
    """
    if folder not in SharedSystemClient._identifier_to_refcount:  # counted only after a successful opening
        SharedSystemClient._identifier_to_system.pop(folder, None)

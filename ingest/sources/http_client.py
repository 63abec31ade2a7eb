"""Asking a service on the network, politely: the only home of httpx."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

import httpx

from assistant.errors import InputError
from assistant.retry import Backoff, retry_after, retrying

_NOT_THERE = frozenset({404, 410})
_PERHAPS_LATER = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Manners:
    """How a service is asked: all times in seconds.

    `pause` lies between two requests to one host (arXiv asks for three), `timeout` is for each wait for bytes and
    `deadline` for a whole answer; `longest_wait` is the most that a service may ask for before it is tried again.
    """

    pause: float = 3.0
    timeout: float = 30.0
    deadline: float = 120.0
    attempts: int = 4
    longest_wait: float = 60.0
    most_bytes: int = 1 << 25


class Web(AbstractContextManager["Web"]):
    """Asks services, one question at a time."""

    def __init__(self, agent: str, manners: Manners = Manners(), sleep: Callable[[float], None] = time.sleep) -> None:
        """`agent` is what the services are told of who asks."""
        self._manners, self._sleep = manners, sleep
        self._asked: dict[str, float] = {}
        self._client = httpx.Client(
            headers={"User-Agent": agent},
            timeout=manners.timeout,
            follow_redirects=True,
            max_redirects=_REDIRECTS,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, address: str, source: str, accept: str, **parameters: str | int) -> bytes:
        """The body of the answer. Raises InputError, which names the source, for whatever is no good answer.

        A service that is busy, or does not answer, is asked again after a while, which it may name itself.
        """
        request = self._client.build_request("GET", address, params=parameters or None, headers={"Accept": accept})
        backoff = Backoff(self._manners.attempts, self._manners.pause)
        repeated = retrying(backoff, self._is_transient, _requested_pause, self._sleep)
        try:
            return repeated(self._once, request, source)
        except (_Busy, httpx.HTTPError) as error:
            raise InputError(source, self._reason(error, request.url.host)) from error

    def _is_transient(self, error: BaseException) -> bool:
        """Tell whether the request may succeed after a pause that is worth waiting for."""
        if isinstance(error, _Busy):
            return error.seconds <= self._manners.longest_wait
        return isinstance(error, httpx.HTTPError)

    def _reason(self, error: Exception, host: str) -> str:
        if isinstance(error, _Busy) and not self._is_transient(error):
            return f"{error} and asks to wait for {error.seconds:.0f} seconds: try again later"
        if isinstance(error, httpx.TimeoutException):
            failure = f"{host} does not answer within {self._manners.timeout:g} seconds"
        elif isinstance(error, httpx.HTTPError):
            failure = f"{host} cannot be reached: {error or type(error).__name__}"
        else:
            failure = str(error)
        return f"{failure}; asked {self._manners.attempts} times, try again later"

    def _once(self, request: httpx.Request, source: str) -> bytes:
        self._take_turn(request.url.host)
        host, response = request.url.host, self._client.send(request, stream=True)
        try:
            if response.status_code in _PERHAPS_LATER:
                raise _Busy(response, host)
            if response.status_code in _NOT_THERE:
                raise InputError(source, f"{host} knows of no such paper")
            if response.status_code != httpx.codes.OK:
                raise InputError(source, f"{host} answers {response.status_code} {response.reason_phrase}")
            return self._body(response, source)
        finally:
            response.close()

    def _body(self, response: httpx.Response, source: str) -> bytes:
        until, body = time.monotonic() + self._manners.deadline, bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self._manners.most_bytes:
                raise InputError(source, f"the answer is longer than {self._manners.most_bytes:,} bytes")
            if time.monotonic() > until:
                raise InputError(source, f"the answer takes longer than {self._manners.deadline:g} seconds")
        return bytes(body)

    def _take_turn(self, host: str) -> None:
        since = time.monotonic() - self._asked.get(host, float("-inf"))
        if since < self._manners.pause:
            self._sleep(self._manners.pause - since)
        self._asked[host] = time.monotonic()


class _Busy(Exception):
    """A service is busy; `seconds` is the pause that it asks for, 0 where it asks for none."""

    def __init__(self, response: httpx.Response, host: str) -> None:
        super().__init__(f"{host} answers {response.status_code} {response.reason_phrase}")
        self.seconds = retry_after(response.headers.get("Retry-After", ""))


def _requested_pause(error: BaseException) -> float:
    return error.seconds if isinstance(error, _Busy) else 0.0

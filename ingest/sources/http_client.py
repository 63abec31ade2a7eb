"""Request documents over HTTP, with pauses, retries and limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

import httpx

from assistant.errors import InputError
from assistant.retry import Backoff, retry_after, retrying

NOT_FOUND = frozenset({404, 410})
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """Pauses, retries and limits of requests. All times are in seconds.

    `pause` separates two requests to one host (arXiv asks for three), `timeout` limits each wait for data, `deadline` a
    whole response, and `max_retry_after` the wait that a service may ask for.
    """

    pause: float = 3.0
    timeout: float = 30.0
    deadline: float = 120.0
    attempts: int = 4
    max_retry_after: float = 60.0
    max_bytes: int = 1 << 25


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A successful response; the names of headers have no case."""

    body: bytes
    headers: Mapping[str, str]


class ServiceError(InputError):
    """A service refuses a request, fails, or cannot be reached; `status` is None where there was no response."""

    def __init__(self, source: str, reason: str, status: int | None = None) -> None:
        super().__init__(source, reason)
        self.status = status


class HttpClient(AbstractContextManager["HttpClient"]):
    """Sends one request at a time, and pauses between requests to the same host."""

    def __init__(
        self,
        user_agent: str,
        policy: RequestPolicy = RequestPolicy(),
        sleep: Callable[[float], None] = time.sleep,
        *,
        proxies: bool = True,
    ) -> None:
        """Open a client; without `proxies`, the proxies of the environment are not used, as for this machine."""
        self._policy, self._sleep = policy, sleep
        self._last_request: dict[str, float] = {}
        # Seconds that a service which was too busy to answer has asked to wait for.
        self.requested_wait = 0.0
        self._client = httpx.Client(
            headers={"User-Agent": user_agent},
            timeout=policy.timeout,
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
            trust_env=proxies,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, source: str, accept: str, **parameters: str | int) -> bytes:
        """Return the body of a successful response. Raise ServiceError for `source` otherwise."""
        return self.request(url, source, accept, **parameters).body

    def request(self, url: str, source: str, accept: str, **parameters: str | int) -> HttpResponse:
        """Return a successful response. Raise ServiceError for `source` otherwise.

        Requests that time out or meet a busy service are repeated after a pause, which the service may set.
        """
        request = self._client.build_request("GET", url, params=parameters or None, headers={"Accept": accept})
        return self._repeated(request, source)

    def request_if_changed(
        self, url: str, source: str, accept: str, etag: str = "", last_modified: str = ""
    ) -> HttpResponse | None:
        """Return a document, or None where it is still the one of this ETag or date. Raise as `request` does."""
        headers = {"Accept": accept, "If-None-Match": etag, "If-Modified-Since": last_modified}
        conditions = {name: value for name, value in headers.items() if value}
        try:
            return self._repeated(self._client.build_request("GET", url, headers=conditions), source)
        except ServiceError as error:
            if error.status == httpx.codes.NOT_MODIFIED:
                return None
            raise
        except httpx.InvalidURL as error:
            raise InputError(source, f"is not an address: {error}") from error

    def _repeated(self, request: httpx.Request, source: str) -> HttpResponse:
        backoff = Backoff(self._policy.attempts, self._policy.pause)
        repeated = retrying(backoff, self._is_transient, _requested_pause, self._sleep)
        try:
            return repeated(self._send, request, source)
        except (_Busy, httpx.HTTPError) as error:
            status = error.status if isinstance(error, _Busy) else None
            self.requested_wait = max(self.requested_wait, _requested_pause(error))
            raise ServiceError(source, self._reason(error, request.url.host), status) from error

    def _is_transient(self, error: BaseException) -> bool:
        """Return whether the request may succeed after a pause that is not too long."""
        if isinstance(error, _Busy):
            return error.seconds <= self._policy.max_retry_after
        return isinstance(error, httpx.HTTPError)

    def _reason(self, error: Exception, host: str) -> str:
        if isinstance(error, _Busy) and not self._is_transient(error):
            return f"{error} and asks to wait for {error.seconds:.0f} seconds: try again later"
        if isinstance(error, httpx.TimeoutException):
            failure = f"{host} does not answer within {self._policy.timeout:g} seconds"
        elif isinstance(error, httpx.HTTPError):
            failure = f"{host} cannot be reached: {error or type(error).__name__}"
        else:
            failure = str(error)
        return f"{failure}; asked {self._policy.attempts} times, try again later"

    def _send(self, request: httpx.Request, source: str) -> HttpResponse:
        host = request.url.host
        self._pause(host)
        response = self._client.send(request, stream=True)
        try:
            if response.status_code in _TRANSIENT:
                raise _Busy(response, host)
            if response.status_code in NOT_FOUND:
                raise ServiceError(source, f"{host} has no such paper", response.status_code)
            if response.status_code != httpx.codes.OK:
                reason = f"{host} answers {response.status_code} {response.reason_phrase}"
                raise ServiceError(source, reason, response.status_code)
            return HttpResponse(self._read_body(response, source), response.headers)
        finally:
            response.close()

    def _read_body(self, response: httpx.Response, source: str) -> bytes:
        end, body = time.monotonic() + self._policy.deadline, bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self._policy.max_bytes:
                raise InputError(source, f"the answer is longer than {self._policy.max_bytes:,} bytes")
            if time.monotonic() > end:
                raise InputError(source, f"the answer takes longer than {self._policy.deadline:g} seconds")
        return bytes(body)

    def _pause(self, host: str) -> None:
        """Wait until the pause after the last request to the host is over."""
        elapsed = time.monotonic() - self._last_request.get(host, float("-inf"))
        if elapsed < self._policy.pause:
            self._sleep(self._policy.pause - elapsed)
        self._last_request[host] = time.monotonic()


class _Busy(Exception):
    """Raised if a service is busy; `seconds` is the pause that it asks for, or 0."""

    def __init__(self, response: httpx.Response, host: str) -> None:
        super().__init__(f"{host} answers {response.status_code} {response.reason_phrase}")
        self.status = response.status_code
        self.seconds = retry_after(response.headers.get("Retry-After", ""))


def _requested_pause(error: BaseException) -> float:
    return error.seconds if isinstance(error, _Busy) else 0.0

"""Asking the AirQino API, patiently and within bounds.

GET {api_url}/v3/getStationHourlyAvg/{station_id}?start_date=YYYYmmdd-HHMM&end_date=... (see `payload` for the
answer). Each request has a total deadline, since httpx's own time-outs start anew with every byte; a cap on what
it may weigh, on the wire and unpacked; and follows no redirect, so that the token goes to no other host.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import httpx
import stamina

from airq_etl.capture import Answer
from airq_etl.errors import AirqError, BusyError, CredentialsError, ForbiddenError, SourceError, UsageError
from airq_etl.responses import http_date, is_off, look_at, unreachable, whole_body
from airq_etl.runs import State
from airq_etl.settings import Settings
from airq_etl.windows import Window

if TYPE_CHECKING:
    from airq_etl.credentials import BearerAuth

log = logging.getLogger(__name__)

TIME_FORMAT = "%Y%m%d-%H%M"


class Ask(NamedTuple):
    """One thing to ask: a station, and the hours."""

    station_id: int
    window: Window


class Asked(NamedTuple):
    """What came of an Ask: requests made, retries among them, bytes on the wire and unpacked, seconds, an error."""

    ask: Ask
    requests: int
    retries: int
    wire_bytes: int
    body_bytes: int
    seconds: float
    error: AirqError | None


class _Tally:
    requests = retries = wire_bytes = body_bytes = 0


class _Lookups(ThreadPoolExecutor):
    """Where names are looked up, which nothing can interrupt: what still waits for its answer is left behind."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().shutdown(wait=False, cancel_futures=True)


class AirqinoClient:
    """Asks for stations, so many at a time; every whole answer goes to `keep` before it is looked at.

    `deadline` is the time (of `time.monotonic`) past which nothing is waited for. `note` is told of a station that is
    asked (RUNNING), or is to be asked again after a pause (RETRY), with the reason.
    """

    def __init__(
        self,
        settings: Settings,
        auth: "BearerAuth | None",
        keep: Callable[[Answer], None],
        deadline: float,
        note: Callable[[int, State, str], None] = lambda *_: None,
    ) -> None:
        self._settings = settings
        self._auth = auth
        self._keep = keep
        self._deadline = deadline
        self._note = note
        self._warned_of_clock = False
        self._opened = False
        self._refused: CredentialsError | None = None

    async def ask_all(self, asks: Iterable[Ask]) -> AsyncIterator[Asked]:
        """Ask for everything; one Asked each, as they come. An error of one station stops no other."""
        stamina.instrumentation.set_on_retry_hooks([_log_retry])
        asyncio.get_running_loop().set_default_executor(_Lookups(thread_name_prefix="look up names"))
        listed = list(asks)
        waiting = iter(listed)
        done: asyncio.Queue[Asked | BaseException | None] = asyncio.Queue()

        async def work(client: httpx.AsyncClient) -> None:
            try:
                for ask in waiting:
                    await done.put(await self._ask(client, ask))
            except BaseException as error:  # noqa: BLE001 -- raised again by the loop below
                await done.put(error)
            await done.put(None)

        async with AsyncExitStack() as opened:
            clients = self._clients(max(min(self._settings.concurrency, len(listed)), 1))
            workers = [asyncio.create_task(work(await opened.enter_async_context(client))) for client in clients]
            try:
                working = len(workers)
                while working:
                    asked = await done.get()
                    if asked is None:
                        working -= 1
                    elif isinstance(asked, BaseException):
                        raise asked
                    else:
                        yield asked
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
                await self._settle()

    def _clients(self, count: int) -> list[httpx.AsyncClient]:
        """A client for each worker: what a pool does for a request grows with its connections."""
        trusted, one = httpx.create_ssl_context(), httpx.Limits(max_connections=1)
        settings = self._settings
        return [
            httpx.AsyncClient(auth=self._auth, limits=one, timeout=settings.timeout_s, verify=trusted)
            for _ in range(count)
        ]

    async def _settle(self) -> None:
        if self._auth is not None:
            await self._auth.settle()

    async def _ask(self, client: httpx.AsyncClient, ask: Ask) -> Asked:
        tally, began = _Tally(), time.monotonic()
        error: AirqError | None = self._refused
        if error is None:
            try:
                await self._ask_patiently(client, ask, tally)
            except (SourceError, CredentialsError) as caught:
                error = caught
                if type(caught) is CredentialsError and self._auth is None:
                    error = CredentialsError("the API wants credentials: set AIRQ_CLIENT_SECRET and AIRQ_REFRESH_TOKEN")
        self._opened = self._opened or error is None
        if isinstance(error, CredentialsError) and not isinstance(error, ForbiddenError) and not self._opened:
            # Refused for one is refused for all: a thousand stations need not find out one by one.
            self._refused = error
        return Asked(
            ask,
            tally.requests,
            tally.retries,
            tally.wire_bytes,
            tally.body_bytes,
            round(time.monotonic() - began, 3),
            error,
        )

    async def _ask_patiently(self, client: httpx.AsyncClient, ask: Ask, tally: _Tally) -> None:
        attempts = self._settings.retries + 1

        def again(error: Exception) -> bool | float:
            wait = self._worth_asking_again(error)
            if wait:
                self._note(ask.station_id, "RETRY", str(error))
            return wait

        async for attempt in stamina.retry_context(on=again, attempts=attempts, timeout=None):
            with attempt:
                self._note(ask.station_id, "RUNNING", "")
                tally.requests += 1
                tally.retries = attempt.num - 1
                answer, headers = await self._ask_once(client, ask, tally)
                self._keep(answer)
                look_at(answer, headers)

    def _worth_asking_again(self, error: Exception) -> bool | float:
        if not isinstance(error, BusyError):
            return False
        wait = error.retry_after_s or 0.0
        if time.monotonic() + wait >= self._deadline:
            return False
        return True if error.retry_after_s is None else wait + random.uniform(0, 1)  # noqa: S311 -- jitter

    async def _ask_once(self, client: httpx.AsyncClient, ask: Ask, tally: _Tally) -> tuple[Answer, httpx.Headers]:
        asked_at = self._settings.clock()
        request = self._request(client, ask)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                response = await client.send(request, stream=True)
                try:
                    body = await whole_body(response, self._settings.max_response_mb, tally)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            who = "the token endpoint gives" if self._auth and self._auth.is_renewing else "there is"
            raise BusyError(f"{who} no whole answer within {self._settings.timeout_s:g} s (AIRQ_TIMEOUT_S)") from error
        except httpx.HTTPError as error:
            raise unreachable(request.url.host, error) from error
        answer = Answer(
            station_id=ask.station_id,
            requested_at=self._requested_at(asked_at, response.headers, body),
            url=str(request.url),
            status=response.status_code,
            body=body,
        )
        return answer, response.headers

    def _request(self, client: httpx.AsyncClient, ask: Ask) -> httpx.Request:
        try:
            return client.build_request(
                "GET",
                f"{self._settings.api_url.rstrip('/')}/v3/getStationHourlyAvg/{ask.station_id}",
                params=_parameters(ask.window),
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise UsageError(f"AIRQ_API_URL: {self._settings.api_url!r} names no host") from error

    def _requested_at(self, asked_at: datetime, headers: httpx.Headers, body: bytes) -> datetime:
        """When the answer was asked for: by our clock, or by the source's where that is more likely right."""
        theirs = http_date(headers.get("Date"))
        pretended = self._settings.now is not None
        if theirs is not None and is_off(asked_at, theirs, body, pretended=pretended):
            if not self._warned_of_clock:
                skew = timedelta(seconds=round(abs(asked_at - theirs).total_seconds()))
                log.warning("this machine's clock and the API's are %s apart; the API's is believed", skew)
                self._warned_of_clock = True
            asked_at = theirs
        return asked_at.replace(microsecond=asked_at.microsecond // 1000 * 1000)


def _parameters(window: Window) -> dict[str, str]:
    ends = {"start_date": window.start, "end_date": window.end}
    return {name: time.strftime(TIME_FORMAT) for name, time in ends.items() if time is not None}


def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    log.info("%s; asking again in %.1f s", details.caused_by, details.wait_for)

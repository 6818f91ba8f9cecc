"""The credentials, the API, and the clocks of both sides."""

import asyncio
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from airq_etl import hourly, lock, payload
from airq_etl.checkup import Remark, failure
from airq_etl.errors import AirqError, CredentialsError, LockedError
from airq_etl.lake import Lake, private
from airq_etl.responses import SKEW, http_date
from airq_etl.settings import Settings
from airq_etl.windows import HOUR, Window, hour_of

if TYPE_CHECKING:
    from airq_etl.capture import Answer
    from airq_etl.credentials import BearerAuth

EARLIEST_YEAR = 2024  # a machine without a battery for its clock begins in 1970 or 2000
LONGEST_CLOCK_S = 10.0


def look_at_api(settings: Settings, lake: Lake, hindrance: str = "") -> list[Remark]:
    """Whether a token is got, and the first station answers; one request each, and no answer is kept.

    A refresh token may be good for one use alone: while there is a `hindrance` to its keeping the next one it is not
    used.
    """
    from airq_etl.credentials import auth_for

    if hindrance and settings.client_secret and settings.refresh_token:
        return [Remark("credentials", "skipped", hindrance), Remark("api", "skipped", "there is no token to ask with")]
    auth = auth_for(settings, lake)
    if auth is None:
        return [_without_token(settings), asyncio.run(_first_station(settings, None))]
    return asyncio.run(_with_token(settings, lake, auth))


def _without_token(settings: Settings) -> Remark:
    said = "AIRQ_CLIENT_SECRET is not set, so requests go without a token"
    if settings.refresh_token or settings.password:
        return Remark("credentials", "warning", said, "set it, since the other credentials are of no use without it")
    return Remark("credentials", "ok", said)


async def _with_token(settings: Settings, lake: Lake, auth: "BearerAuth") -> list[Remark]:
    no_api = Remark("api", "skipped", "there is no token to ask with")
    try:
        await _get_token(settings, lake, auth)
    except LockedError as error:
        return [Remark("credentials", "skipped", str(error).partition("; ")[0]), no_api]
    except AirqError as error:
        otherwise = "see AIRQ_TOKEN_URL, and whether this machine reaches that host"
        return [failure("credentials", error, otherwise), no_api]
    by = "the refresh token" if settings.refresh_token else "AIRQ_USERNAME and AIRQ_PASSWORD"
    return [Remark("credentials", "ok", f"a token is got by {by}"), await _first_station(settings, auth)]


async def _get_token(settings: Settings, lake: Lake, auth: "BearerAuth") -> None:
    import httpx

    with ExitStack() as held:
        if settings.refresh_token:
            # The new one must be kept, for the old one may be dead; and no run may use that meanwhile.
            held.enter_context(private())
            lake.open()
            held.enter_context(lock.hold(lake.root, "doctor", datetime.now(UTC)))
        flow = auth.async_auth_flow(httpx.Request("GET", settings.api_url))
        try:
            await anext(flow)
        finally:
            await flow.aclose()
            await auth.settle()


async def _first_station(settings: Settings, auth: "BearerAuth | None") -> Remark:
    """The API's answer for one hour of the first station, in the words of `extract` where it is none."""
    from airq_etl.airqino import AirqinoClient, Ask

    if not settings.stations:
        return Remark("api", "skipped", f"no station is of shard {settings.shard}")
    answers: list[Answer] = []
    once = msgspec.structs.replace(settings, retries=0, concurrency=1)
    client = AirqinoClient(once, auth, answers.append, time.monotonic() + settings.timeout_s)
    until = hour_of(settings.clock())
    station_id = settings.stations[0]
    async for asked in client.ask_all([Ask(station_id, Window(until - HOUR, until))]):
        if asked.error is not None:
            # Who has answered is reached: what is busy will pass, and runs have the patience for it.
            there = "look again later: runs ask again, and the next one makes up for it"
            otherwise = there if answers else "see AIRQ_API_URL, and whether this machine reaches that host"
            if isinstance(asked.error, CredentialsError):
                otherwise = "see Credentials in config.example.env"
            return failure("api", type(asked.error)(f"station {station_id}: {asked.error}"), otherwise)
        newest = hourly.newest(payload.decode(answers[-1].body), settings.clock())
        hour = "with no hour of the last two" if newest is None else f"newest hour {newest:%Y-%m-%d %H:%M} UTC"
        said = f"station {station_id}: status {answers[-1].status} in {asked.seconds:.1f} s, {hour}"
    return Remark("api", "ok", said)


def look_at_clock(settings: Settings, *, on_purpose: bool) -> list[Remark]:
    """This machine's clock against the Date of whatever the API's host answers; AIRQ_NOW may be set `on_purpose`."""
    ours = datetime.now(UTC)
    if ours.year < EARLIEST_YEAR:
        return [
            Remark("clock", "failed", f"this machine takes it for {ours:%Y-%m-%d %H:%M} UTC", "set its clock (NTP)")
        ]
    if settings.now is not None:
        return [_pretended(settings, on_purpose=on_purpose)]
    theirs = _date_of_the_api(settings)
    if theirs is None:
        return [Remark("clock", "skipped", f"{ours:%Y-%m-%d %H:%M} UTC; the API gives no time to compare it with")]
    apart = abs(datetime.now(UTC) - theirs)
    if apart > SKEW:
        told = timedelta(seconds=round(apart.total_seconds()))
        return [
            Remark("clock", "warning", f"this machine's and the API's are {told} apart", "set this machine's (NTP)")
        ]
    return [Remark("clock", "ok", f"{ours:%Y-%m-%d %H:%M} UTC, as the API's")]


def _pretended(settings: Settings, *, on_purpose: bool) -> Remark:
    said = f"it is pretended to be {settings.clock():%Y-%m-%d %H:%M} UTC"
    if on_purpose:
        return Remark("clock", "ok", f"{said} (--now)")
    return Remark("clock", "warning", f"{said}, at every run (AIRQ_NOW)", "take AIRQ_NOW out, but for a replay")


def _date_of_the_api(settings: Settings) -> datetime | None:
    import httpx

    limit_s = min(settings.timeout_s, LONGEST_CLOCK_S)
    try:
        with httpx.stream("GET", settings.api_url, timeout=limit_s) as response:
            return http_date(response.headers.get("Date"))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        return None

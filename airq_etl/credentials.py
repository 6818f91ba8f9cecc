"""OAuth2 as AirQino's Keycloak realm does it: a bearer token from a refresh token, or from a user's password.

A refresh token may rotate: the old one is then dead, so the new one is on disk before anything else is done
with the answer. It is kept with a fingerprint of the configured token that it descends from: another configured
token starts anew.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator
from typing import Annotated

import httpx
import msgspec

from airq_etl import logs
from airq_etl.errors import AnswerError, BusyError, CredentialsError
from airq_etl.lake import Lake
from airq_etl.responses import unreachable
from airq_etl.settings import Settings

log = logging.getLogger(__name__)

RENEW_BEFORE_S = 5.0
LONGEST_RENEWAL = 3  # times AIRQ_TIMEOUT_S
MOST_TOKEN_BYTES = 1 << 20
REFUSALS = frozenset({401, 403})


class _Grant(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(pattern=r"\A[!-~]+\Z")]  # fit for a header
    expires_in: float = 60.0
    refresh_token: str | None = None


class _Kept(msgspec.Struct):
    configured: str
    refresh_token: str


class TokenFile:
    """The newest refresh token, in the data directory, mode 600."""

    def __init__(self, lake: Lake, configured: str) -> None:
        self._lake = lake
        self._configured = configured
        self._told = False
        self._fingerprint = hashlib.sha256(configured.encode()).hexdigest()
        self.path = lake.root / "refresh_token.json"

    def tokens(self) -> list[str]:
        """What to try, in this order: the newest kept one, then the configured one."""
        try:
            kept = msgspec.json.decode(self.path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return [self._configured]
        except (OSError, msgspec.DecodeError, ValueError, RecursionError):
            if not self._told:
                log.warning("%s cannot be read; the configured refresh token is tried", self.path)
            self._told = True
            return [self._configured]
        if kept.configured != self._fingerprint:
            return [self._configured]
        return list(dict.fromkeys([kept.refresh_token, self._configured]))

    def keep(self, refresh_token: str) -> None:
        """Put a rotated token on disk."""
        with self._lake.replacing(self.path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_bytes(msgspec.json.encode(_Kept(self._fingerprint, refresh_token)))


class BearerAuth(httpx.Auth):
    """Gives each request a token, gets one where there is none or it ran out, and once more after a 401 or 403.

    Raises CredentialsError where the token endpoint refuses, BusyError where it is out of order.
    """

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._settings = settings
        self._file = TokenFile(lake, settings.refresh_token) if settings.refresh_token else None
        self._token: str | None = None
        self._runs_out = 0.0
        self._refused: str | None = None  # a token that was new when it was refused
        self._renewal: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Httpx's hook: yields the request to send, receives its response."""
        tried = None
        for _ in range(2):
            async with self._lock:
                # Another request may have renewed it while this one waited.
                if self._token is None or self._token == tried or time.monotonic() > self._runs_out:
                    self._token = None
                    await self._renew()
                tried = self._token
            request.headers["Authorization"] = f"Bearer {tried}"
            response = yield request
            if response.status_code not in REFUSALS:
                self._refused = None
                return
            if tried == self._refused:
                # Another new one would be refused as well; a thousand stations need not find that out.
                return
        self._refused = tried

    @property
    def is_renewing(self) -> bool:
        """Whether the token endpoint has been asked and has not answered yet."""
        return self._renewal is not None and not self._renewal.done()

    async def settle(self) -> None:
        """Wait for a renewal that is under way: its answer may hold the only refresh token that still lives."""
        if self._renewal is not None:
            await asyncio.wait([self._renewal])

    async def _renew(self) -> None:
        # Shielded: a request that runs out of time must not throw a rotated token away, which may be the only
        # live one. The next attempt waits for the same renewal.
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew_to_the_end())
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._renewal)

    async def _renew_to_the_end(self) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout_s * LONGEST_RENEWAL):
                self._take(await self._renewed())
        except TimeoutError as error:
            raise BusyError("the token endpoint does not answer; see AIRQ_TOKEN_URL") from error

    async def _renewed(self) -> _Grant:
        # A client of its own: the token endpoint gets no token, and the API none of the credentials.
        async with httpx.AsyncClient(timeout=self._settings.timeout_s) as client:
            for form in self._forms():
                grant = await self._grant(client, form)
                if grant is not None:
                    return grant
        raise CredentialsError(
            "the token endpoint refuses the credentials; check AIRQ_CLIENT_ID, AIRQ_CLIENT_SECRET and "
            "AIRQ_REFRESH_TOKEN (or AIRQ_USERNAME and AIRQ_PASSWORD)"
        )

    def _forms(self) -> list[dict[str, str]]:
        settings = self._settings
        client = {"client_id": settings.client_id, "client_secret": settings.client_secret or ""}
        forms = [
            {"grant_type": "refresh_token", "refresh_token": token} | client
            for token in (self._file.tokens() if self._file else [])
        ]
        if settings.username and settings.password:
            user = {"username": settings.username, "password": settings.password}
            forms.append({"grant_type": "password", "scope": "openid"} | user | client)
        return forms

    async def _grant(self, client: httpx.AsyncClient, form: dict[str, str]) -> _Grant | None:
        """What the token endpoint grants for a form, None where it refuses."""
        try:
            async with client.stream("POST", self._settings.token_url, data=form) as response:
                if response.status_code in {400, *REFUSALS}:
                    return None
                _raise_for(response.status_code)
                body = await _bounded(response)
        except httpx.HTTPError as error:
            raise unreachable("the token endpoint", error) from error
        try:
            return msgspec.json.decode(body, type=_Grant)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise AnswerError("the token endpoint's answer holds no token; see AIRQ_TOKEN_URL") from error

    def _take(self, grant: _Grant) -> None:
        logs.hide([grant.access_token, grant.refresh_token or ""])
        if grant.refresh_token and self._file and grant.refresh_token not in self._file.tokens()[:1]:
            self._file.keep(grant.refresh_token)
            log.debug("the refresh token was rotated and is kept")
        self._token = grant.access_token
        self._runs_out = time.monotonic() + grant.expires_in - RENEW_BEFORE_S


def _raise_for(status: int) -> None:
    if status != httpx.codes.OK:
        kind = (
            BusyError if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status) else AnswerError
        )
        raise kind(f"the token endpoint answers with status {status}; see AIRQ_TOKEN_URL")


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_TOKEN_BYTES:
            raise AnswerError("the token endpoint's answer does not end; see AIRQ_TOKEN_URL")
    return body


def auth_for(settings: Settings, lake: Lake) -> BearerAuth | None:
    """The auth of these settings; None where no client secret is set: requests then go without a token."""
    if settings.client_secret:
        return BearerAuth(settings, lake)
    if settings.refresh_token or settings.password:
        log.warning("AIRQ_CLIENT_SECRET is not set, so requests go without a token")
    return None

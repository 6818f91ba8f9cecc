"""An answer of the API: its body within bounds, and what it means by its status and headers."""

import email.utils
import ssl
import zlib
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx

from airq_etl import hourly, payload
from airq_etl.capture import Answer
from airq_etl.errors import AnswerError, BusyError, CredentialsError, ForbiddenError, SourceError

LONGEST_WAIT_S = 86_400.0
MEGABYTE = 1 << 20
SKEW = timedelta(minutes=5)
LONGEST_SKEW = timedelta(days=1)


def look_at(answer: Answer, headers: httpx.Headers) -> None:
    """Raise what an answer means where it is not what was asked for."""
    status = answer.status
    if status in {401, 403}:
        kind = CredentialsError if status == httpx.codes.UNAUTHORIZED else ForbiddenError
        raise kind(
            f"the API refuses the credentials (status {status}); check AIRQ_CLIENT_SECRET and AIRQ_REFRESH_TOKEN"
        )
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        raise BusyError(f"the API answers with status {status}", retry_after(headers.get("Retry-After")))
    if httpx.codes.is_redirect(status):
        where = _host(answer.url, headers.get("Location", ""))
        raise AnswerError(f"the API redirects to {where}, which is refused; see AIRQ_API_URL")
    if status == httpx.codes.NOT_FOUND:
        raise AnswerError("the API does not know this station (status 404); see AIRQ_STATIONS and AIRQ_API_URL")
    if status != httpx.codes.OK:
        raise AnswerError(f"the API answers with status {status}: {payload.opening(answer.body)}")
    payload.decode(answer.body)


def _host(url: str, location: str) -> str:
    """Scheme and host that a redirect leads to: what is the same for all stations."""
    try:
        target = httpx.URL(url).join(location)
    except (httpx.InvalidURL, ValueError):
        return "no URL"
    return repr(payload.clean_text(f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}"))


def unreachable(what: str, error: httpx.HTTPError) -> SourceError:
    """What a request that got no answer means: a certificate that is not trusted will not pass by itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return AnswerError(
                f"{what} shows a certificate that is not trusted: {payload.clean_text(cause.verify_message)}; "
                "nothing was sent (SSL_CERT_FILE names other authorities)"
            )
        cause = cause.__cause__ or cause.__context__
    return BusyError(f"{what} cannot be reached: {payload.clean_text(str(error) or type(error).__name__)}")


def retry_after(header: str | None) -> float | None:
    """Seconds to wait by a Retry-After header (a number, or a date); None where it says nothing sensible."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return min(float(header), LONGEST_WAIT_S)
    when = http_date(header)
    return None if when is None else max((when - datetime.now(UTC)).total_seconds(), 0.0)


def http_date(header: str | None) -> datetime | None:
    """The time in a header like Date, aware UTC; None where it holds none."""
    try:
        when = email.utils.parsedate_to_datetime(header or "")
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_off(ours: datetime, theirs: datetime, body: bytes, *, pretended: bool) -> bool:
    """Whether our time is wrong by the API's: an answer counted as newer than it is would win over later ones.

    Times are aware UTC; `pretended` says that ours is (AIRQ_NOW), so that it may well be earlier, for a replay.
    """
    if ours - theirs > SKEW:
        return True
    if theirs - ours <= SKEW or pretended:
        return False
    if theirs - ours <= LONGEST_SKEW:
        return True
    # Who has hours that are yet to come here is ahead indeed; else it is the API's clock that is wrong.
    try:
        newest = hourly.newest(payload.decode(body), theirs)
    except SourceError:
        return False
    return newest is not None and newest > ours


class Weighed(Protocol):
    """Who counts bytes, on the wire and unpacked."""

    wire_bytes: int
    body_bytes: int


async def whole_body(response: httpx.Response, most_mb: int, tally: Weighed) -> bytes:
    """The body of an answer, unpacked as it comes, its bytes added to the `tally`.

    AnswerError where it has more than `most_mb` megabytes, on the wire or unpacked, or is packed otherwise than
    asked for; BusyError where its gzip is cut short or damaged.
    """
    most = most_mb * MEGABYTE
    too_much = f"the answer is larger than {most_mb} MB (AIRQ_MAX_RESPONSE_MB)"
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise AnswerError(f"the answer is packed as {payload.clean_text(encoding)!r}, which was not asked for")
    unpacker = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    wire = 0
    async for chunk in response.aiter_raw():
        wire += len(chunk)
        tally.wire_bytes += len(chunk)
        if unpacker and unpacker.eof:
            raise AnswerError("the answer goes on where its gzip has ended")
        try:
            # One byte more than is allowed is enough to know; a bomb is not unpacked to see how large it is.
            while chunk and len(body) <= most:
                body += unpacker.decompress(chunk, min(MEGABYTE, most + 1 - len(body))) if unpacker else chunk
                chunk = unpacker.unconsumed_tail if unpacker else b""  # noqa: PLW2901 -- what is left of it
        except zlib.error as error:
            raise BusyError(f"the answer's gzip is damaged: {error}") from error
        if max(len(body), wire) > most:
            raise AnswerError(too_much)
    if unpacker and not unpacker.eof:
        raise BusyError("the answer's gzip is cut short")
    tally.body_bytes += len(body)
    return bytes(body)

"""One answer of the API, as it came.

An answer is kept as one line of JSON: when and for what it was asked, the status, and the body to the byte.
A body that is UTF-8 stands in `body` as text (JSON's escapes are lossless); any other stands in `body_base64`.
"""

import base64
from datetime import datetime

import msgspec

from airq_etl.errors import DamagedError


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: `requested_at` is aware UTC, `url` carries no credentials, `body` is decoded from gzip only."""

    station_id: int
    requested_at: datetime
    url: str
    status: int
    body: bytes


class _Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    station_id: int
    requested_at: datetime
    url: str
    status: int
    body: str | None = None
    body_base64: str | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Line)


def encode(answer: Answer) -> bytes:
    """The answer as one line of JSON, newline included."""
    try:
        text, base64_text = answer.body.decode("utf-8"), None
    except UnicodeDecodeError:
        text, base64_text = None, base64.b64encode(answer.body).decode("ascii")
    line = _Line(
        station_id=answer.station_id,
        requested_at=answer.requested_at,
        url=answer.url,
        status=answer.status,
        body=text,
        body_base64=base64_text,
    )
    return _ENCODER.encode(line) + b"\n"


def decode(line: bytes) -> Answer:
    """The answer that `encode` wrote; DamagedError where it is not one."""
    try:
        kept = _DECODER.decode(line)
        if kept.body is None:
            body = base64.b64decode(kept.body_base64 or "", validate=True)
        else:
            body = kept.body.encode("utf-8")
    except (msgspec.DecodeError, ValueError) as error:
        raise DamagedError(f"not an answer as it was kept: {error}") from error
    return Answer(
        station_id=kept.station_id,
        requested_at=kept.requested_at,
        url=kept.url,
        status=kept.status,
        body=body,
    )

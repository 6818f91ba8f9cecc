"""Saved payloads of real stations, given again as the API would have given them at another time."""

import gzip
import json
import re
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

from airq_etl.synthetic import HISTORY

__all__ = ["Playback"]

_SAVED = re.compile(r"([0-9]{1,18})_.*\.json(?:\.gz)?")

_Payload = dict[str, Any]


class Playback:
    """The payloads of a directory, `{"header", "data"}` in files named `{station_id}_*.json[.gz]`.

    A file is read when its station is first asked for. Raises ValueError when there is no such file.
    """

    def __init__(self, directory: Path) -> None:
        self._files: dict[int, list[Path]] = {}
        self._payloads: dict[Path, _Payload] = {}
        for path in sorted(directory.glob("*.json*")):
            if match := _SAVED.fullmatch(path.name):
                self._files.setdefault(int(match[1]), []).append(path)
        if not self._files:
            message = f"{directory} holds no saved payload (STATION_*.json or STATION_*.json.gz)"
            raise ValueError(message)

    def __call__(self, station_id: int, first: datetime, last: datetime, now: datetime) -> _Payload | None:
        """Header and rows, untouched, of the hours from `first` to `last` (UTC, both included) as of `now`.

        They are those of the station's newest payload that ends no later than `now`, cut to the year before
        it; no rows while none has ended, None for a station without a file. Raises ValueError, which names the
        file, when one cannot be read.
        """
        if station_id not in self._files:
            return None
        payloads = sorted(map(self._load, self._files[station_id]), key=_end)
        ended = [payload for payload in payloads if _end(payload) <= _stamp(now)]
        if not ended:
            return {"header": payloads[0]["header"], "data": []}
        low, high = _stamp(max(first, now - HISTORY)), _stamp(min(last, now))
        rows = [row for row in ended[-1]["data"] if low <= row["timestamp"] <= high]
        return {"header": ended[-1]["header"], "data": rows}

    def _load(self, path: Path) -> _Payload:
        if path not in self._payloads:
            try:
                body = path.read_bytes()
                saved = json.loads(gzip.decompress(body) if path.suffix == ".gz" else body)
                payload = {"header": saved["header"], "data": saved["data"]}
                _end(payload)
            except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
                message = f"{path.name} is not a saved payload"
                raise ValueError(message) from error
            self._payloads[path] = payload
        return self._payloads[path]


def _stamp(moment: datetime) -> str:
    """A UTC moment as text that sorts among the API's timestamps."""
    return moment.replace(tzinfo=None).isoformat(" ")


def _end(payload: _Payload) -> str:
    return max((row["timestamp"] for row in payload["data"]), default="")

"""One answer of a year, decoded again and again: `way_decode.py ours|naive ROUNDS FILE KEYS`, in one process.

FILE is the body as JSON; KEYS the API's keys of the sensors, with our columns, as JSON. On stdout, as JSON, the CPU
milliseconds of each way in each round, the ways one after the other in every round. `ours` is for airq-etl's
environment, `naive` for one with pandas; both measure the same reference: a typed decode by msgspec, nothing else.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

REFERENCE = "msgspec, typed decode alone"
NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
MEANT = ["mean", "count", "min", "max"]
Way = Callable[[bytes], object]


def reference(keys: dict[str, str]) -> Way:
    """The decoder of a document with these keys."""
    fields: list[Any] = [("timestamp", datetime)]
    fields += [(column, float | None, msgspec.field(name=key, default=None)) for key, column in keys.items()]
    row = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, frozen=True)
    document = msgspec.defstruct("Document", [("data", list[row]), ("header", msgspec.Raw)])  # type: ignore[valid-type]
    return msgspec.json.Decoder(document).decode


def ours() -> dict[str, Way]:
    """Validated hourly rows; and with them flags and daily means."""
    from airq_etl import daily, hourly, payload
    from airq_etl.stations import Rules

    rules = Rules({1: "UTC"}, 18, {})

    def parsed(body: bytes) -> Any:  # noqa: ANN401 -- a frame
        return hourly.parse(payload.decode(body), 1, NOW).rows

    return {
        "ours, hourly rows": parsed,
        "ours, rows + flags + days": lambda body: daily.compute(parsed(body), rules),
    }


def naive() -> dict[str, Way]:
    """What everyone's first script does; and with the dicts that it inserts."""
    import pandas as pd

    def computed(body: bytes) -> Any:  # noqa: ANN401 -- two frames
        hours = pd.DataFrame(json.loads(body)["data"])
        hours["timestamp"] = pd.to_datetime(hours["timestamp"])
        sensors = [name for name in hours.columns if name != "timestamp"]
        return hours, hours.groupby(hours["timestamp"].dt.normalize())[sensors].agg(MEANT)

    def inserted(body: bytes) -> object:
        hours, days = computed(body)
        days.columns = ["_".join(names) for names in days.columns]
        return hours.to_dict("records"), days.reset_index().to_dict("records")

    return {"naive, frame + days": computed, "naive, frame + days + dicts": inserted}


def main() -> None:
    """Measure."""
    whose, rounds, file, keys = sys.argv[1:]
    body = Path(file).read_bytes()
    ways: dict[str, Way] = {REFERENCE: reference(json.loads(keys)), **(ours() if whose == "ours" else naive())}
    for way in ways.values():
        way(body)
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(int(rounds)):
        for name, way in ways.items():
            gc.collect()
            began = time.process_time()
            way(body)
            spent[name].append((time.process_time() - began) * 1e3)
    print(json.dumps(spent))  # noqa: T201 -- the result


if __name__ == "__main__":
    main()

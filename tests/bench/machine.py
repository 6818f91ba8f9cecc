"""The machine that something was measured on."""

import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path

from tests.bench import others

COMPARED = ("airq-etl", "polars", "httpx", "msgspec", "pymongo", "pandas", "pyarrow", "duckdb", "dlt", "requests")
LOOK = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def described() -> dict[str, object]:
    """Its processor, cores, memory and system; Python, and the packages that are compared."""
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "ram_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": _field(Path("/etc/os-release"), "PRETTY_NAME", "=").strip('"') or platform.platform(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": _versions(),
    }


def line(machine: dict[str, object]) -> str:
    """The machine in one line."""
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['ram_gb']} GB, Python {machine['python']}"


def _field(path: Path, name: str, separator: str = ":") -> str:
    if not path.exists():
        return ""
    told = (row.partition(separator) for row in path.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in told if key.strip() == name), "")


def _versions() -> dict[str, str]:
    """Those of airq-etl's environment; of the others' where it has none, or has been made."""
    ours = {d.name: d.version for d in importlib.metadata.distributions()}
    python = others.made()
    theirs = {}
    if python is not None:
        done = subprocess.run([python, "-I", "-c", LOOK], capture_output=True, text=True, check=True)
        theirs = json.loads(done.stdout)
    return {name: ours[name] for name in COMPARED if name in ours} | {
        f"{name} (the others)": theirs[name] for name in COMPARED if name in theirs
    }

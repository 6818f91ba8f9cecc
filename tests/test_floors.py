"""The floors of the package: imports point down, and the core cannot touch the world."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "airq_etl"

FLOORS: list[set[str]] = [
    {"errors", "sensors", "stations", "guidelines", "shards"},
    {"capture", "payload", "windows"},
    {"hourly", "quality", "nowcast", "usual", "eight_hours", "portions"},
    {"daily", "revisions", "documents", "results", "runs", "checkup", "forecast"},
    {
        "summary",
        "synthetic",
        "sanity",
        "verdict",
        "findings_text",
        "forecast_text",
        "forecast_tables",
        "junit",
        "watch",
        "watched",
        "alert_text",
        "status_facts",
        "status_words",
        "status_view",
        "run_view",
        "missing",
        "backfilling",
        "backfill_text",
        "doctor_text",
        "challenge_text",
        "report",
        "french",
        "superset",
    },
    {
        "settings",
        "env_file",
        "stations_file",
        "lake",
        "pieces",
        "alerts",
        "metrics",
        "seal",
        "captures",
        "ledger",
        "ledger_layout",
        "ledger_answers",
        "ledger_runs",
        "ledger_stations",
        "ledger_reader",
        "ledger_counts",
        "changes",
        "open_findings",
        "open_alerts",
        "lock",
        "sqlite",
        "logs",
        "credentials",
        "airqino",
        "responses",
        "simulator",
        "playback",
        "schedule",
        "store",
    },
    {"store.embedded", "store.embedded_reader", "store.mongo", "store.mongo_client"},
    {"pipeline"},
    {"options", "commands", "cli", "__main__"},
]
CORE = 5
OUTER_WORLD = {
    *{
        "httpx",
        "pymongo",
        "sqlite3",
        "os",
        "time",
        "logging",
        "typer",
        "dotenv",
        "filelock",
        "stamina",
        "apprise",
        "prometheus_client",
    },
    *{"socket", "subprocess", "http", "pathlib", "shutil", "tempfile", "asyncio", "threading"},
}
LONGEST_MODULE = 250


def modules() -> list[str]:
    """The package's modules, without the package's own name: `hourly`, `store.mongo`; `store` is its __init__."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    names = (".".join(path.parts).removesuffix(".__init__") for path in paths)
    return sorted(name for name in names if name != "__init__")


def floor(module: str) -> int | None:
    """The floor of a module, or of the nearest package around it; None where it has none."""
    while module:
        for number, names in enumerate(FLOORS):
            if module in names:
                return number
        module = module.rpartition(".")[0]
    return None


def source(module: str) -> str:
    path = PACKAGE.joinpath(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")


def imported(text: str) -> Iterator[str]:
    """All that a source imports, in full, wherever in it the import stands."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_ours(text: str) -> set[str]:
    known = set(modules())
    names = {name.removeprefix("airq_etl.") for name in imported(text) if name.startswith("airq_etl.")}
    return names & known


def offences(module: str, text: str) -> list[str]:
    """The imports of a module that point up."""
    own = floor(module)
    assert own is not None, f"{module} stands on no floor: give it one here"
    return [
        f"{module} (floor {own}) imports {name} (floor {floor(name)})"
        for name in of_ours(text)
        if (floor(name) or 0) > own
    ]


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module: str) -> None:
    """A module imports nothing from a floor above its own."""
    assert offences(module, source(module)) == []


@pytest.mark.parametrize("module", [name for name in modules() if (floor(name) or 0) < CORE])
def test_the_core_cannot_touch_the_world(module: str) -> None:
    """Below the line there is no I/O, no clock, no settings, no logging."""
    roots = {name.partition(".")[0] for name in imported(source(module))}
    assert roots & OUTER_WORLD == set()


@pytest.mark.parametrize("module", modules())
def test_modules_are_short(module: str) -> None:
    """What outgrows 250 lines is split by what it does."""
    assert len(source(module).splitlines()) <= LONGEST_MODULE


def test_no_import_cycles() -> None:
    """No module imports itself, by whatever way."""
    graph = {name: of_ours(source(name)) - {name} for name in modules()}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a cycle: {' -> '.join((*path, name))}"
        for other in graph[name]:
            visit(other, (*path, name))

    for name in graph:
        visit(name, ())


def test_an_offence_is_found() -> None:
    """The check itself can fail: an import that points up is named."""
    assert offences("hourly", "from airq_etl import settings") == ["hourly (floor 2) imports settings (floor 5)"]
    assert offences("daily", "def f():\n    import airq_etl.lake") == ["daily (floor 3) imports lake (floor 5)"]


def test_only_what_is_declared_is_imported() -> None:
    """Nothing is imported that neither Python nor pyproject.toml brings."""
    declared = {"typer", "rich", "httpx", "stamina", "msgspec", "polars", "pymongo", "dotenv", "filelock", "airq_etl"}
    declared |= {"altair", "vl_convert", "jinja2", "markupsafe", "yaml"}
    declared |= {"prometheus_client", "apprise", "bson", "numpy", "lightgbm"}  # bson comes with pymongo
    for module in modules():
        roots = {name.partition(".")[0] for name in imported(source(module))}
        assert roots - declared - sys.stdlib_module_names == set(), module

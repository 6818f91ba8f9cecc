"""Prometheus, its node exporter and promtool, as Debian has them, take what airq-etl gives them."""

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.error import URLError

import pytest

from airq_etl.simulator import Simulator

if TYPE_CHECKING:
    from tests.conftest import Airq

TESTS = Path(__file__).parent
RULES = TESTS.parent / "airq_etl" / "deploy" / "airq_etl.rules.yml"
RULE_TESTS = TESTS / "airq_etl.rules.test.yml"
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
STATIONS = (283164601, 283181972)
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
STARTED_S, TAKEN_S, STOPPED_S = 30, 60, 20
CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
  - job_name: node
    static_configs: [targets: ['{target}']]
"""

Program = Callable[[str], str]


class Node(NamedTuple):
    """A host under watch: the metrics file of a run, and where Prometheus answers."""

    metrics: str
    url: str

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 -- whatever it answers
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- our own
            return json.load(answer)["data"]

    def value(self, query: str) -> float | None:
        """What a query gives now, where that is one sample."""
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None


@pytest.fixture(scope="module")
def node(
    program: Program, airq_in: "Callable[[Path], Airq]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    """A real run against the simulator, a node exporter on its metrics file, and a Prometheus that scrapes it."""
    exporter, prometheus = program("prometheus-node-exporter"), program("prometheus")
    directory = tmp_path_factory.mktemp("node")
    (directory / "textfile").mkdir()
    metrics, rules = directory / "textfile" / "airq_etl.prom", directory / "airq_etl.rules.yml"
    airq = airq_in(directory)
    with Simulator(STATIONS, now=lambda: YESTERDAY) as simulator:
        given = {"STATIONS": ",".join(map(str, STATIONS)), "METRICS_FILE": metrics, "API_URL": simulator.url}
        airq("run", "--now", YESTERDAY.isoformat(), env={f"AIRQ_{name}": str(value) for name, value in given.items()})
    airq("export", "alert-rules", "-o", rules)
    collects = ["--collector.disable-defaults", "--collector.textfile"]
    with at_work([exporter, *collects, f"--collector.textfile.directory={metrics.parent}"], directory) as target:
        (directory / "prometheus.yml").write_text(CONFIGURATION.format(rules=rules, target=target))
        stores = ["--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        with at_work([prometheus, *stores], directory) as address:
            yield Node(metrics.read_text(), f"http://{address}")


@contextmanager
def at_work(words: list[str], directory: Path) -> Iterator[str]:
    """A server on a free port of 127.0.0.1 while the block runs; its address."""
    address = f"127.0.0.1:{free_port()}"
    said = directory / f"{Path(words[0]).name}.said"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [*words, f"--web.listen-address={address}"], cwd=directory, stdout=log, stderr=subprocess.STDOUT
        )
    try:

        def ready() -> bool:
            assert process.poll() is None, said.read_text()
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
                return bool(answer.status == 200)

        wait_for(ready, STARTED_S)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(holds: Callable[[], bool], seconds: float) -> None:
    """Return when it holds; who is asked tells nobody of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except URLError:
            pass  # it does not listen yet
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} s")


def promtool(program: Program, *words: str | Path, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program("promtool"), *words], input=given, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_a_run_is_scraped(node: Node) -> None:
    """What a run wrote is what Prometheus answers, through the exporter, to the last station."""
    wait_for(lambda: node.value("airq_etl_last_success_timestamp_seconds") is not None, TAKEN_S)
    assert node.value("airq_etl_last_success_timestamp_seconds") == YESTERDAY.timestamp()
    assert node.value("node_textfile_scrape_error") == 0
    samples = re.findall(r"^(airq_etl_\w+\S*) (\S+)$", node.metrics, re.MULTILINE)
    of_stations = [name for name, _ in samples if "station=" in name]
    assert len([name for name in of_stations if "forecast" not in name]) == 2 * len(STATIONS)
    assert {f'airq_etl_forecast_value{{horizon="{ahead}"' for ahead in (1, 2)} <= {
        name.partition(",")[0] for name in of_stations
    }
    for name, value in samples:
        assert node.value(name) == float(value), name


def test_the_rules_are_loaded_and_healthy(node: Node) -> None:
    """Prometheus loads all rules as they are exported, and evaluates each without an error."""

    def rules() -> list[dict[str, str]]:
        return [rule for group in node.ask("rules")["groups"] for rule in group["rules"]]

    wait_for(lambda: all(rule["health"] != "unknown" for rule in rules()), TAKEN_S)
    assert [(rule["name"], rule["health"]) for rule in rules()] == [(alert, "ok") for alert in ALERTS]


def test_the_rules_fire_by_what_a_run_wrote(node: Node) -> None:
    """A run of long ago, as `--now` had it, is no good run of the last two hours; what went well then does not fire."""
    wait_for(lambda: (node.value('ALERTS{alertname="AirqEtlNoGoodRun"}') or 0) == 1, TAKEN_S)
    firing = {
        sample["metric"]["alertname"] for sample in node.ask("query", query='ALERTS{alertstate="firing"}')["result"]
    }
    assert firing & {"AirqEtlRunFailed", "AirqEtlStoreFails", "AirqEtlStationFails", "AirqEtlMetricsAbsent"} == set()


def test_promtool_finds_no_fault_in_the_file(node: Node, program: Program) -> None:
    """Names and units are by Prometheus' conventions."""
    checked = promtool(program, "check", "metrics", given=node.metrics)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_each_rule_fires_where_it_should(program: Program) -> None:
    """The rules are well formed, and fire and keep quiet as the file beside this one has it."""
    assert promtool(program, "check", "rules", RULES).returncode == 0
    tested = promtool(program, "test", "rules", RULE_TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_each_rule_is_tested(program: Program, tmp_path: Path, alert: str) -> None:
    """Of each rule it is tested that it fires and that it does not: without it, the tests fail."""
    tests = RULE_TESTS.read_text(encoding="utf-8")
    assert f"alertname: {alert}, exp_alerts: [] }}" in tests
    rules = RULES.read_text(encoding="utf-8").replace(f"alert: {alert}\n", "alert: Another\n")
    (tmp_path / "rules.yml").write_text(rules)
    (tmp_path / "test.yml").write_text(tests.replace("../airq_etl/deploy/airq_etl.rules.yml", "rules.yml"))
    tested = promtool(program, "test", "rules", tmp_path / "test.yml")
    assert tested.returncode == 1
    assert f"alertname: {alert}" in tested.stdout + tested.stderr


def test_rules_name_only_metrics_that_there_are() -> None:
    """A rule on a metric that nobody writes would never fire."""
    from airq_etl.metrics import METRICS

    named = set(re.findall(r"airq_etl_([a-z_]+)\b(?!\.rules|\.prom|\[)", RULES.read_text(encoding="utf-8")))
    assert len(named) > 8
    assert named <= set(METRICS)


def test_the_rules_are_exported(airq: "Airq") -> None:
    """To stdout or a file they come as they are, without data or settings; what belongs to tables is refused."""
    text = RULES.read_text(encoding="utf-8")
    assert airq("export", "alert-rules").out == text
    airq("export", "alert-rules", "-o", "rules.yml")
    assert (airq.directory / "rules.yml").read_text(encoding="utf-8") == text
    for words in (["--station", "7"], ["--start-date", "2024-09-01"], ["--format", "csv"]):
        assert "alert-rules are no table" in airq("export", "alert-rules", *words, expect=2).err

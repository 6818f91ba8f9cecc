"""A real Superset for the tests: started on a free port, asked over its API."""

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.installed import said

HERE = Path(__file__).parent / "superset"
COMMAND_S = 120
START_S = 90
STOP_S = 10
USER = "admin"
Answer = dict[str, Any]


class Chart(NamedTuple):
    """A chart as Superset keeps it."""

    number: int
    name: str
    dataset: int
    params: dict[str, Any]


class Superset:
    """A Superset in a directory of its own; its server runs within `serving`."""

    def __init__(self, environment: Path, home: Path) -> None:
        self.home, self.url = home, ""
        self.password = secrets.token_urlsafe(12)
        self._bin = environment / "bin"
        self._client = httpx.Client(timeout=COMMAND_S)
        self._environment = {
            "PATH": f"{self._bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(home),
            "SUPERSET_HOME": str(home),
            "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
            "FLASK_APP": "superset",
        }
        self.command("db", "upgrade")
        named = ("--username", USER, "--firstname", "A", "--lastname", "B", "--email", "a@example.org")
        self.command("fab", "create-admin", *named, "--password", self.password)
        self.command("init")

    def command(self, *words: str | Path) -> str:
        """Run a `superset` command to its end; all that it said."""
        return said([self._bin / "superset", *words], self._environment, self.home, COMMAND_S)

    def take(self, bundle: Path) -> None:
        """Import a bundle; fails where Superset names an error, which it does with exit code 0."""
        said = self.command("import-directory", "--overwrite", bundle)
        assert "ERROR:superset" not in said, said[-3000:]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Its server, on a free port of 127.0.0.1, and a session with it."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        log = self.home / "server.log"
        words = ["--workers", "2", "--threads", "4", "--timeout", str(COMMAND_S), "--bind", address]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [self._bin / "gunicorn", *words, "superset.app:create_app()"],
                env=self._environment,
                cwd=self.home,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.url = f"http://{address}"
        try:
            self._wait(process, log)
            self._sign_in()
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)
            self._client.close()

    def _wait(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        until = time.monotonic() + START_S
        while True:
            try:
                self._client.get(f"{self.url}/health").raise_for_status()
            except httpx.HTTPError:
                gone = process.poll() is not None or time.monotonic() > until
                assert not gone, f"Superset did not start:\n{log.read_text(encoding='utf-8')[-3000:]}"
                time.sleep(0.2)
            else:
                return

    def _sign_in(self) -> None:
        named = {"username": USER, "password": self.password, "provider": "db"}
        answer = self._client.post(f"{self.url}/api/v1/security/login", json=named).raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        # For pages the session of a browser.
        self._client.post(f"{self.url}/login/", data={"username": USER, "password": self.password})

    def get(self, path: str) -> Any:  # noqa: ANN401 -- whatever it answers
        """What an address of the API gives."""
        return self._client.get(f"{self.url}/api/v1/{path}").raise_for_status().json()["result"]

    def page(self, path: str) -> httpx.Response:
        """A page, as a browser with a session would be given it."""
        return self._client.get(f"{self.url}/{path}")

    def counts(self) -> dict[str, int]:
        """How many of each kind of thing it keeps."""
        kinds = ("database", "dataset", "chart", "dashboard")
        return {kind: self._client.get(f"{self.url}/api/v1/{kind}/").json()["count"] for kind in kinds}

    def charts(self, dashboard: str) -> dict[str, Chart]:
        """The charts of a dashboard, by their title."""
        wanted = {told["id"] for told in self.get(f"dashboard/{dashboard}/charts")}
        listed = self.get("chart/?q=(columns:!(id,slice_name,params,datasource_id),page_size:100)")
        return {
            told["slice_name"]: Chart(told["id"], told["slice_name"], told["datasource_id"], json.loads(told["params"]))
            for told in listed
            if told["id"] in wanted
        }

    def ask(self, chart: Chart, **more: Any) -> list[Answer]:  # noqa: ANN401 -- parts of a query
        """The rows that a chart is drawn from, as its plugin asks for them; `more` goes over that."""
        given = self._client.post(
            f"{self.url}/api/v1/chart/data",
            json={
                "datasource": {"id": chart.dataset, "type": "table"},
                "queries": [query(chart.params) | more],
                "force": True,
            },
        )
        assert given.status_code == httpx.codes.OK, (chart.name, given.text[:2000])
        (result,) = given.json()["result"]
        assert result["error"] is None, (chart.name, result["error"])
        return list(result["data"])


def query(params: Mapping[str, Any]) -> Answer:
    """What the plugin of a chart asks for."""
    kept = [told["sqlExpression"] for told in params["adhoc_filters"] if told["expressionType"] == "SQL"]
    return {
        "columns": list(_columns(params)),
        "metrics": _metrics(params),
        "orderby": [json.loads(told) for told in params.get("order_by_cols", [])],
        "extras": {"where": " and ".join(f"({sql})" for sql in kept)},
        "granularity": params["granularity_sqla"],
        "row_limit": params["row_limit"],
    }


def _columns(params: Mapping[str, Any]) -> Iterator[str | Answer]:
    if "x_axis" in params:
        axis = {"label": params["x_axis"], "sqlExpression": params["x_axis"], "expressionType": "SQL"}
        grain = params.get("time_grain_sqla")
        yield {**axis, "columnType": "BASE_AXIS", "timeGrain": grain} if grain else params["x_axis"]
    by = params.get("groupby", [])
    yield from [by] if isinstance(by, str) else by
    yield from (params[name] for name in ("entity", "series") if name in params)
    for name in ("columns", "all_columns"):
        yield from params.get(name, [])


def _metrics(params: Mapping[str, Any]) -> list[str] | None:
    if params.get("query_mode") == "raw":
        return None
    single = [params[name] for name in ("metric", "x", "y", "size") if name in params]
    return [*params.get("metrics", []), *single]

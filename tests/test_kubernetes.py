"""What `schedule kubernetes` writes is taken by Kubernetes, and is what was asked for."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airq_etl import errors
from airq_etl.errors import UsageError
from airq_etl.lake import HOURLY, Lake
from airq_etl.schedule import kubernetes
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.yaml_text import quoted
from airq_etl.simulator import Simulator
from tests.pods import Manifest, ended, read_manifest, start

if TYPE_CHECKING:
    from tests.conftest import Airq

NEWEST = kubernetes_validate.latest_version()
URI = "mongodb://airq:db-pass@mongo.example.org/air"
SECRETS = {
    "AIRQ_CLIENT_SECRET": "s3cret-client",
    "AIRQ_REFRESH_TOKEN": "s3cret-refresh",
    "AIRQ_PASSWORD": "s3cret-password",
    "AIRQ_USERNAME": "someone",
    "AIRQ_MONGODB_URI": URI,
    "AIRQ_ALERT_URLS": "mailto://u:s3cret-mail@example.org",
    "AIRQ_PING_URL": "https://ping.example.org/s3cret-ping",
}
HOSTILE = [
    "a: b # c",
    "'single' \"double\" \\back",
    "two\nlines\n",
    "*anchor",
    "&a !tag %d @x `y`",
    "yes",
    "0123",
    "1e3",
    "~",
    "{{ x }} [[ y ]] [% z %]",
    "$(HOME) $$(HOME) ${HOME}",
    "\x7f\x85\u2028\ufeff\U0001f300 é",
    " spaces ",
    "-",
]
VARIANTS: list[dict[str, Any]] = [
    {},
    {"stations_file": '[283164601]\nname = "a: b"\n', "settings": {"AIRQ_TIMEZONE": "Africa/Abidjan"}},
    {"shards": 4, "has_mongodb": True, "secrets": ("AIRQ_MONGODB_URI",), "station_count": 4000},
    {"every": 6, "minute": 5, "name": "air-2", "image": "registry.example.org/air/airq-etl:1", "deadline_s": 600.5},
]


def plan(**given: Any) -> Plan:  # noqa: ANN401 -- whatever a plan has
    return Plan(
        **{"program": ("/opt/airq/bin/airq-etl",), "data_dir": Path("/srv/air"), "image": "airq-etl:1", **given}
    )


def objects(entries: list[Entry]) -> list[dict[str, Any]]:
    return [found for entry in entries for found in yaml.safe_load_all(entry.text)]


def manifest(**given: Any) -> Manifest:  # noqa: ANN401 -- as above
    made = objects(kubernetes.entries(plan(**given)))
    return Manifest({(found["kind"], found["metadata"]["name"]): found for found in made})


def cron_job(**given: Any) -> dict[str, Any]:  # noqa: ANN401 -- as above
    spec: dict[str, Any] = manifest(**given).objects["CronJob", given.get("name", "airq-etl")]["spec"]
    return spec


def number(quantity: str) -> int:
    return int(quantity.removesuffix("Mi").removesuffix("Gi"))


@pytest.mark.parametrize("version", [kubernetes.OLDEST, "1.33", NEWEST])
@pytest.mark.parametrize("given", VARIANTS)
def test_kubernetes_takes_it(version: str, given: dict[str, Any]) -> None:
    """Each object fits the schema of its kind, with no field that the kind has not."""
    made = objects(kubernetes.entries(plan(**given)))
    assert {found["kind"] for found in made} == {"ConfigMap", "PersistentVolumeClaim", "CronJob", "Secret"}
    for found in made:
        kubernetes_validate.validate(found, version, strict=True)


def test_the_schemas_refuse_what_they_do_not_know() -> None:
    """The check itself can fail: a misspelt field, a value of another type, a policy of an older schema."""
    for path, value in (("concurencyPolicy", "Forbid"), ("startingDeadlineSeconds", "soon"), ("schedule", None)):
        found = manifest().objects["CronJob", "airq-etl"]
        found["spec"][path] = value
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(found, NEWEST, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest().objects["CronJob", "airq-etl"], "1.28", strict=True)


@pytest.mark.parametrize(("every", "hours", "late"), [(1, "*", 1800), (6, "*/6", 10800), (24, "0", 43200)])
def test_when_it_runs(every: int, hours: str, late: int) -> None:
    """At the minute of these hours of UTC, one at a time, and late rather than not at all."""
    spec = cron_job(every=every, minute=23)
    assert spec["schedule"] == f"23 {hours} * * *"
    assert spec["timeZone"] == "Etc/UTC"
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == late
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 5)


def test_it_ends_before_the_next_one_is_due() -> None:
    """A run has its own deadline, and a pod that hangs all the same is ended a little later."""
    job = manifest().job
    assert 3000 + 60 < job["activeDeadlineSeconds"] < 3600
    assert manifest(deadline_s=600.5).job["activeDeadlineSeconds"] == 901
    assert job["ttlSecondsAfterFinished"] > 24 * 3600
    assert manifest().pod["terminationGracePeriodSeconds"] == 60


def test_what_failed_is_done_again_where_that_helps() -> None:
    """Once; of the exit codes that airq-etl has, only for the source and the store, which may come back."""
    job = manifest().job
    assert job["backoffLimit"] == 1
    assert "backoffLimitPerIndex" not in job
    ignored, failed = job["podFailurePolicy"]["rules"]
    assert ignored == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert failed["action"] == "FailJob"
    assert failed["onExitCodes"]["containerName"] == manifest().container["name"]
    codes = {
        vars(found)["exit_code"] for found in vars(errors).values() if "exit_code" in getattr(found, "__dict__", {})
    }
    again = {errors.SourceError.exit_code, errors.StoreError.exit_code}
    assert failed["onExitCodes"]["operator"] == "In"
    assert failed["onExitCodes"]["values"] == sorted(codes - again)
    assert manifest().pod["restartPolicy"] == "Never"


def test_it_may_do_little() -> None:
    """No root, no more rights than it begins with, nothing to write but its data and /tmp, no word to Kubernetes."""
    pod, container = manifest().pod, manifest().container
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(mounts) == {"/data", "/tmp"}  # noqa: S108 -- a path in the pod
    assert volumes[mounts["/data"]]["persistentVolumeClaim"] == {"claimName": "airq-etl"}
    assert "emptyDir" in volumes[mounts["/tmp"]]  # noqa: S108 -- as above


def test_services_become_no_settings() -> None:
    """A Service `airq-...` would put AIRQ_..._SERVICE_HOST into the environment, which a run refuses."""
    assert manifest().pod["enableServiceLinks"] is False


def test_a_large_network_gets_more() -> None:
    """Memory by the stations of a pod, disk by all; what is asked for is never above what is allowed."""
    few, many, shared = (
        manifest(station_count=count, shards=shards, has_mongodb=True)
        for count, shards in ((2, 1), (4000, 1), (4000, 8))
    )
    for made in (few, many, shared):
        resources = made.container["resources"]
        assert number(resources["requests"]["memory"]) < number(resources["limits"]["memory"])
    limits = [number(made.container["resources"]["limits"]["memory"]) for made in (few, shared, many)]
    assert limits == sorted(limits)
    assert limits[0] < limits[1] / 4 < limits[2] / 16
    claims = [made.objects["PersistentVolumeClaim", "airq-etl"]["spec"] for made in (few, shared, many)]
    assert number(claims[0]["resources"]["requests"]["storage"]) == 5
    assert claims[1]["resources"] == claims[2]["resources"] != claims[0]["resources"]
    assert [claim["accessModes"] for claim in claims] == [["ReadWriteOnce"], ["ReadWriteMany"], ["ReadWriteOnce"]]


def test_of_shares_each_pod_has_one() -> None:
    """An Indexed Job: all at once, each with its index and a directory of its own, each done again by itself."""
    made = manifest(shards=4, has_mongodb=True)
    job = made.job
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 4, 4)
    assert job["backoffLimitPerIndex"] == 1
    assert "backoffLimit" not in job
    assert job["podFailurePolicy"]["rules"][1]["action"] == "FailIndex"
    args = ["run", "--shard", "$(JOB_COMPLETION_INDEX)/4", "--data-dir", "/data/shard-$(JOB_COMPLETION_INDEX)", "-q"]
    assert made.container["args"] == args
    # Where it would stay as it is: the variable comes after those of the manifest.
    assert "JOB_COMPLETION_INDEX" not in str(made.container["env"])


@pytest.mark.parametrize("text", HOSTILE)
def test_values_stay_as_they_are(text: str) -> None:
    """Whatever YAML, the shell or the template would make of them; a number too is a text."""
    made = manifest(settings={"AIRQ_CLIENT_ID": text}, stations_file=text)
    assert made.objects["ConfigMap", "airq-etl"]["data"] == {"AIRQ_CLIENT_ID": text}
    assert made.objects["ConfigMap", "airq-etl-stations"]["data"] == {"stations.toml": text}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_every_text_stays_as_it_is(text: str) -> None:
    """In YAML, on one line."""
    assert yaml.safe_load(f"a: {quoted(text)} # b") == {"a": text}
    assert len(quoted(text).splitlines()) == 1


def test_settings_and_stations_come_along(airq: "Airq", tmp_path: Path) -> None:
    """From env file, shell and stations file, those that are not as by default; no path of this machine among them."""
    (tmp_path / "air.env").write_text("AIRQ_TIMEZONE=Africa/Abidjan\nAIRQ_MIN_HOURS=18\n")
    stations = '[283164601]\nname = "Plateau"\n[283181971]\nlatitude = 5.3\n'
    (tmp_path / "stations.toml").write_text(stations)
    env = {"AIRQ_STATIONS_FILE": str(tmp_path / "stations.toml"), "AIRQ_CONCURRENCY": "3"}
    env["AIRQ_METRICS_FILE"] = str(tmp_path / "airq_etl.prom")
    said = airq("schedule", "kubernetes", "--env-file", "air.env", "-o", "out", env=env)
    made = read_manifest(tmp_path / "out")
    assert made.objects["ConfigMap", "airq-etl"]["data"] == {
        "AIRQ_TIMEZONE": "Africa/Abidjan",
        "AIRQ_CONCURRENCY": "3",
    }
    told = made.objects["ConfigMap", "airq-etl-stations"]["data"]["stations.toml"]
    assert tomllib.loads(told) == tomllib.loads(stations)
    (mount,) = [found for found in made.container["volumeMounts"] if found["name"] == "stations"]
    variables = {found["name"]: found["value"] for found in made.container["env"]}
    assert variables["AIRQ_STATIONS_FILE"] == f"{mount['mountPath']}/stations.toml"
    assert variables["AIRQ_DATA_DIR"] == "/data"
    assert said.err == ""
    text = (tmp_path / "out" / "airq-etl.yaml").read_text()
    assert "# AIRQ_METRICS_FILE is left out" in text
    assert str(tmp_path) not in text


def test_no_secret_is_in_it(airq: "Airq", tmp_path: Path) -> None:
    """Their names are, empty, in a file of its own: applying the other one again does not blank them."""
    (tmp_path / "air.env").write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    (tmp_path / "air.env").chmod(0o600)
    for shards in ("1", "4"):
        said = airq("schedule", "kubernetes", "--env-file", "air.env", "--shards", shards, "-o", "out")
        texts = [said.out, said.err, *(path.read_text() for path in (tmp_path / "out").iterdir())]
        assert not re.search("s3cret|db-pass|mongo.example", "".join(texts))
        made = read_manifest(tmp_path / "out")
        empty = dict.fromkeys((name for name in SECRETS if name != "AIRQ_USERNAME"), "")
        assert made.objects["Secret", "airq-etl"]["stringData"] == empty
        assert made.objects["ConfigMap", "airq-etl"]["data"] == {"AIRQ_USERNAME": "someone"}
        assert "Secret" not in [
            found["kind"] for found in yaml.safe_load_all((tmp_path / "out/airq-etl.yaml").read_text())
        ]
        sources = [found for source in made.container["envFrom"] for found in source.items()]
        assert sources == [("configMapRef", {"name": "airq-etl"}), ("secretRef", {"name": "airq-etl"})]


def test_its_commands_name_what_is_there() -> None:
    """What it says of removing names each object, and the claim apart, since that is for ever."""
    text = kubernetes.entries(plan(name="air", stations_file="[1]\n"))[0].text
    first, second = (line.split()[3:] for line in text.splitlines() if "kubectl delete" in line)
    made = manifest(name="air", stations_file="[1]\n").objects
    assert {*first, *second} == {f"{kind.lower()}/{name}" for kind, name in made}
    assert second == ["persistentvolumeclaim/air"]


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (["--shards", "4"], {}, "--shards 4: shares meet in one MongoDB; set AIRQ_MONGODB_URI"),
        (["--image", "no image"], {}, "--image 'no image': a name like registry.example.org/airq-etl:1"),
        (["--name", "Air"], {}, "--name 'Air': up to 40 lower-case letters"),
        (
            ["--shard", "0/4"],
            {},
            "AIRQ_SHARD (--shard): kubernetes takes all stations, and --shards splits them; leave it out",
        ),
        (["--shards", "1025"], {}, "--shards': Input should be less than or equal to 1024"),
    ],
)
def test_what_cannot_be_is_said(airq: "Airq", words: list[str], env: Mapping[str, str], said: str) -> None:
    """One line with the option or setting, and what to do; nothing is written."""
    refused = airq("schedule", "kubernetes", *words, "-o", "out", env=env, expect=2)
    assert said in refused.err
    assert refused.out == ""
    assert not (airq.directory / "out").exists()


def test_an_environment_holds_no_more_than_128_kib(airq: "Airq", tmp_path: Path) -> None:
    """Stations by the ten thousand would end each pod before it begins."""
    listed = [",".join(map(str, range(283164601, 283164601 + count))) for count in (13_000, 13_200)]
    (tmp_path / "many.env").write_text(f"AIRQ_STATIONS={listed[0]}\n")
    airq("schedule", "kubernetes", "--env-file", "many.env", "-o", "out")
    settings = read_manifest(tmp_path / "out").objects["ConfigMap", "airq-etl"]["data"]
    assert settings["AIRQ_STATIONS"] == listed[0]
    assert "no run yet" in airq("status", env=settings, expect=2).err
    (tmp_path / "many.env").write_text(f"AIRQ_STATIONS={listed[1]}\n")
    said = airq("schedule", "kubernetes", "--env-file", "many.env", expect=2)
    limit = "AIRQ_STATIONS is longer than an environment can hold (128 KiB); list them in AIRQ_STATIONS_FILE"
    assert said.err == f"airq-etl: {limit}\n"


def test_a_config_map_holds_no_more_than_a_mebibyte() -> None:
    """A stations file of tens of thousands is refused here, and not by the cluster."""
    whole = "#" * (1 << 20)
    assert manifest(stations_file=whole).objects["ConfigMap", "airq-etl-stations"]["data"]["stations.toml"] == whole
    with pytest.raises(UsageError, match=r"AIRQ_STATIONS_FILE has 1,048,577 bytes, and a ConfigMap holds 1,048,576"):
        kubernetes.entries(plan(stations_file=whole + "#"))


def test_one_pod_does_the_job(airq: "Airq", tmp_path: Path) -> None:
    """With the command line and the environment of the manifest a run fills the claim, and says nothing."""
    now = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
    with Simulator([283164601, 283181972], now=lambda: now, auth=True) as simulator:
        year = simulator.source
        simulator.source = lambda station, first, last, at: year(station, max(first, at - timedelta(days=3)), last, at)
        env = {
            "AIRQ_API_URL": simulator.url,
            "AIRQ_TOKEN_URL": simulator.token_url,
            "AIRQ_STATIONS": "283164601,283181972",
        }
        secrets = {"AIRQ_CLIENT_SECRET": simulator.client_secret, "AIRQ_REFRESH_TOKEN": simulator.refresh_token}
        airq("schedule", "kubernetes", "-o", "out", env=env | secrets)
        (tmp_path / "claim").mkdir()
        pod = start(read_manifest(tmp_path / "out"), 0, tmp_path / "claim", secrets | {"AIRQ_NOW": now.isoformat()})
        assert ended([pod]) == [(0, "", "")]
    assert set(Lake(tmp_path / "claim").read(HOURLY)["station_id"]) == {283164601, 283181972}

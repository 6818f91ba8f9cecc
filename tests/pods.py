"""The pods of a manifest, run as processes of this machine: the command line, environment and claim of each."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

LONGEST_S = 120


class Manifest(NamedTuple):
    """The objects of a manifest and of its Secret, by kind and name."""

    objects: dict[tuple[str, str], dict[str, Any]]

    @property
    def job(self) -> dict[str, Any]:
        """The spec of the job."""
        (cron_job,) = [found for (kind, _), found in self.objects.items() if kind == "CronJob"]
        spec: dict[str, Any] = cron_job["spec"]["jobTemplate"]["spec"]
        return spec

    @property
    def pod(self) -> dict[str, Any]:
        """The spec of its pods."""
        spec: dict[str, Any] = self.job["template"]["spec"]
        return spec

    @property
    def container(self) -> dict[str, Any]:
        """The only container of a pod."""
        (found,) = self.pod["containers"]
        container: dict[str, Any] = found
        return container

    def environment(self, secrets: Mapping[str, str], index: int) -> dict[str, str]:
        """What a pod finds in its environment, once somebody has filled in the secrets."""
        found: dict[str, str] = {}
        for source in self.container["envFrom"]:
            ((kind, reference),) = source.items()
            if kind == "configMapRef":
                found |= self.objects["ConfigMap", reference["name"]]["data"]
            else:
                found |= self.objects["Secret", reference["name"]]["stringData"] | dict(secrets)
        found |= {variable["name"]: variable["value"] for variable in self.container["env"]}
        # The controller of jobs adds it behind all others.
        return found | {"JOB_COMPLETION_INDEX": str(index)}


def read_manifest(directory: Path) -> Manifest:
    """All objects of the files in a directory."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.yaml"))]
    objects = [found for text in texts for found in yaml.safe_load_all(text)]
    return Manifest({(found["kind"], found["metadata"]["name"]): found for found in objects})


def expanded(word: str, environment: Mapping[str, str]) -> str:
    """A word of a command as Kubernetes starts it: $(NAME) is the variable where there is one, $$ a dollar sign."""

    def put_in(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else environment.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", put_in, word)


def start(manifest: Manifest, index: int, claim: Path, given: Mapping[str, str]) -> "subprocess.Popen[str]":
    """The pod of an index, with `given` as secrets and settings, on a directory for its claim."""
    environment = manifest.environment(given, index)
    words = [expanded(word, environment) for word in (*manifest.container["command"], *manifest.container["args"])]
    assert words[0] == "airq-etl"
    here = {name: on_claim(value, claim) for name, value in environment.items()} | {"PATH": os.environ["PATH"]}
    return subprocess.Popen(
        [sys.executable, "-m", "airq_etl", *(on_claim(word, claim) for word in words[1:])],
        env=here | {"HOME": str(claim)},
        cwd=claim,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def on_claim(text: str, claim: Path) -> str:
    """A path on the volume as it is on this machine."""
    return f"{claim}{text.removeprefix('/data')}" if re.fullmatch(r"/data(/.*)?", text) else text


def ended(pods: "list[subprocess.Popen[str]]") -> list[tuple[int, str, str]]:
    """Exit code, standard output and error of each."""
    said = [pod.communicate(timeout=LONGEST_S) for pod in pods]
    return [(pod.returncode, *both) for pod, both in zip(pods, said, strict=True)]

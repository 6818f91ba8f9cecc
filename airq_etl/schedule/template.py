"""The templates in `airq_etl/deploy/`, filled in."""

from collections.abc import Callable
from importlib import resources
from typing import Any

import jinja2

DEPLOY = resources.files("airq_etl") / "deploy"

# Brackets, since braces mean something to Airflow and to the shell.
_BRACKETS = {
    "variable_start_string": "[[",
    "variable_end_string": "]]",
    "block_start_string": "[%",
    "block_end_string": "%]",
    "comment_start_string": "[#",
    "comment_end_string": "#]",
}


def render(name: str, quote: Callable[[Any], str], **values: object) -> str:
    """The template `NAME.jinja`; a value stands in it by itself, or as `value | quote`, quoted for the target."""
    environment = jinja2.Environment(  # noqa: S701 -- no HTML: each target is quoted in its own way
        **_BRACKETS,  # type: ignore[arg-type]
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quote"] = quote
    text = (DEPLOY / f"{name}.jinja").read_text(encoding="utf-8")
    return environment.from_string(text).render(values)

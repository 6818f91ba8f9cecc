"""All of it as files that Superset imports: YAML, by path, the same to the byte for the same source."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

import yaml

from airq_etl.superset import days, forecasts, months, runs
from airq_etl.superset.chart import Chart
from airq_etl.superset.dashboard import CHARTS, TITLE, dashboard
from airq_etl.superset.dataset import Column, Dataset, Measure
from airq_etl.superset.source import Database, Source

OURS = UUID("7f9c1f3e-54a4-5f0e-9d0b-5b1f6a3f9a57")
VERSION = "1.0.0"  # of Superset's form of such files
METADATA = "metadata.yaml"
MARK = "# Written by `airq-etl export superset`, which replaces this directory whole.\n"
# Told apart also by who sees no red or green (after Okabe and Ito), and from the guidelines.
PALETTE = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#5D3A9B", "#444444", "#A6761D")
FOLDERS = ("databases", "datasets", "charts", "dashboards")
TYPES = {"sqlite": {"time": "DATETIME", "text": "TEXT", "number": "FLOAT"}}
TYPES["duckdb"] = {"time": "TIMESTAMP", "text": "VARCHAR", "number": "DOUBLE"}


def bundle(source: Source) -> dict[str, str]:
    """The files of a bundle, their text by their path within it."""
    files = {METADATA: MARK + _text({"version": VERSION, "type": "assets"})}
    return files | {path: _text({**told, "version": VERSION}) for path, told in _assets(source)}


def datasets(source: Source) -> tuple[Dataset, ...]:
    """The datasets over a source."""
    of_a_source = (days.dataset, months.dataset, forecasts.hours, forecasts.errors, runs.dataset)
    return tuple(dataset(source) for dataset in of_a_source)


def _assets(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    found = {dataset.key: dataset for dataset in datasets(source)}

    def uuid_of(key: str) -> str:
        return str(uuid5(OURS, f"{source.name}/{key}"))

    for database in {source.database.key: source.database, source.runs_in.key: source.runs_in}.values():
        yield f"databases/{database.key}.yaml", _database(database, uuid_of(f"database/{database.key}"))
    for dataset in found.values():
        uuids = uuid_of(f"dataset/{dataset.key}"), uuid_of(f"database/{dataset.database.key}")
        yield f"datasets/{dataset.database.key}/{dataset.key}.yaml", _dataset(dataset, *uuids)
    for chart, section in CHARTS:
        uuids = uuid_of(f"chart/{chart.key}"), uuid_of(f"dataset/{chart.dataset}")
        yield f"charts/{chart.key}.yaml", _chart(chart, section.said, *uuids)
    title, slug = (TITLE, "airq") if source.name == "sqlite" else (f"{TITLE} (Parquet)", "airq-parquet")
    yield f"dashboards/{slug}.yaml", dashboard(uuid_of, title, slug, uuid_of("dataset/days"), _colors(source))


def _colors(source: Source) -> dict[str, str]:
    """The colour of each station's series, the same in all charts, also of its forecast and of the bounds of that."""
    return {
        f"{label}{ending}": PALETTE[number % len(PALETTE)]
        for number, label in enumerate(source.labels)
        for ending in forecasts.BAND
    }


def _database(database: Database, uuid: str) -> dict[str, Any]:
    # Not for SQL Lab: there SQLite would attach any file that Superset may read.
    shut = ("expose_in_sqllab", "allow_run_async", "allow_ctas", "allow_cvas", "allow_dml", "allow_csv_upload")
    return {
        "database_name": database.title,
        "sqlalchemy_uri": database.uri,
        "cache_timeout": None,
        **dict.fromkeys(shut, False),
        "extra": {"engine_params": {"connect_args": dict(database.options)}, "allows_virtual_table_explore": True},
        "uuid": uuid,
    }


def _dataset(dataset: Dataset, uuid: str, database: str) -> dict[str, Any]:
    types = TYPES[dataset.database.engine]
    return {
        "table_name": f"{dataset.database.title}: {dataset.key}",
        "description": dataset.said,
        "main_dttm_col": dataset.time,
        "schema": None,
        "sql": dataset.sql + "\n",
        # Else Superset takes the SQL for that of no engine in particular, and translates it.
        "source_db_engine": dataset.database.engine,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "uuid": uuid,
        "database_uuid": database,
        "columns": [_column(column, types[column.kind]) for column in dataset.columns],
        "metrics": [_measure(measure) for measure in dataset.measures],
    }


def _column(column: Column, kind: str) -> dict[str, Any]:
    return {
        "column_name": column.name,
        "verbose_name": column.label,
        "type": kind,
        "is_dttm": column.kind == "time",
        "is_active": True,
        "groupby": True,
        "filterable": True,
    }


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "metric_name": measure.name,
        "verbose_name": measure.label,
        "expression": measure.sql,
        "d3format": measure.form or None,
    }


def _chart(chart: Chart, said: str, uuid: str, dataset: str) -> dict[str, Any]:
    return {
        "slice_name": chart.title,
        "description": said,
        "viz_type": chart.params["viz_type"],
        "params": dict(chart.params),
        "cache_timeout": None,
        "uuid": uuid,
        "dataset_uuid": dataset,
    }


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, and nothing by reference, so that a person can read and compare the files."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 -- as PyYAML asks
        return True


def _as_lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _as_lines)


def _text(told: Mapping[str, Any]) -> str:
    return yaml.dump(dict(told), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)

"""Within Airflow's own Python: what its DagBag makes of a DAG, or one `dag.test()` of it, as JSON in a file.

once.py OUT             the DAGs of the DAGs folder, and what could not be imported
once.py OUT DAG CONF    a run of a DAG as one that a person triggers, with CONF (JSON) for its params
"""

import json
import sys
from pathlib import Path
from typing import Any

try:
    from airflow.dag_processing.dagbag import DagBag  # type: ignore[import-not-found]  # it is not here
except ImportError:  # Airflow 2.10
    from airflow.models import DagBag  # type: ignore[import-not-found]


def described(dag: Any) -> dict[str, Any]:  # noqa: ANN401 -- Airflow is not here for mypy
    """What a DAG is set to."""
    return {
        "schedule": dag.schedule,
        "zone": dag.timezone.name,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "params": dict(dag.params),
        "tasks": {
            task.task_id: {
                "after": sorted(task.upstream_task_ids),
                "retries": task.retries,
                "retry_delay_s": task.retry_delay.total_seconds(),
                "timeout_s": task.execution_timeout.total_seconds(),
                "told": len(task.on_failure_callback),
            }
            for task in dag.tasks
        },
    }


def tested(dag: Any, conf: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 -- Airflow is not here for mypy
    """How a run of it went, task by task."""
    no_date = {} if sys.modules.get("airflow.sdk") is None else {"logical_date": None}
    run = dag.test(run_conf=conf, **no_date)
    tasks = [
        {
            "name": ti.task_id.removeprefix("shards."),
            "shard": ti.map_index,
            "state": ti.state,
            "tries": ti.try_number,
            "label": ti.rendered_map_index,
        }
        for ti in run.get_task_instances()
    ]
    return {"state": run.state, "tasks": tasks}


def main(out: str, dag_id: str | None = None, conf: str = "{}") -> None:
    """Write what was asked for."""
    bag = DagBag()
    if dag_id is None:
        told = {"errors": bag.import_errors, "dags": {name: described(dag) for name, dag in bag.dags.items()}}
    else:
        told = tested(bag.dags[dag_id], json.loads(conf))
    Path(out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

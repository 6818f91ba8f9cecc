"""airflow: a DAG for Airflow 3 (and 2.10)."""

from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.template import render


def entries(plan: Plan) -> list[Entry]:
    """The file for the folder of DAGs; all that is of this installation stands at its top, as Python's literals."""
    dag_id = plan.name.replace("-", "_")
    values = {
        "dag_id": dag_id,
        "program": list(plan.program),
        "env_file": None if plan.env_file is None else str(plan.env_file),
        "data_dir": str(plan.data_dir),
        "shards": plan.shards,
        "schedule": plan.times,
        "deadline_s": plan.deadline_s,
    }
    return [Entry(f"{dag_id}_dag.py", render("airflow_dag.py", repr, **values))]

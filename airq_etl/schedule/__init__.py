"""Ready entries for what starts airq-etl: cron, systemd, Windows, Kubernetes, Airflow, Docker.

A module a target: it takes a `Plan` and gives its `Entry`s, each made from a template in `airq_etl/deploy/`.
"""

"""`python -m airq_etl` is `airq-etl`."""

from airq_etl.cli import main

main()

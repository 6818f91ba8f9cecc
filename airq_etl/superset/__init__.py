"""What Apache Superset is given to show the data: database, datasets, charts and a dashboard, as YAML that it imports.

    source      where Superset reads: the embedded store, or the Parquet tables through DuckDB; what differs in SQL
    datasets    the queries, each with its columns and the measures that charts take of it
    charts      what is drawn, by `kinds` of chart
    dashboard   where each chart stands, and which filters it heeds
    bundle      all of it as files

Built for Superset 6.1. Each thing has a UUID made of its key, so that a second import alters and adds nothing twice.
"""

"""What Apache Superset is given to show the data: database, datasets, charts and a dashboard, as YAML that it imports.

source -> dataset -> days, months, forecasts, runs -> bundle
where     what one is     the queries                  the files
kinds, tables -> chart -> air, job -> dashboard -> bundle
parameters       what one is  charts     where each stands

Built for Superset 6.1. Each thing has a UUID made of its key, so that a second import alters and adds nothing twice.
"""

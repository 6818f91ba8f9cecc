"""The charts of the work: how complete the data are, what forecasts were worth, how runs went."""

from airq_etl.superset import kinds
from airq_etl.superset.chart import CO, HUNDREDTH, PM25, TENTH, Chart
from airq_etl.superset.kinds import HOUR

COMPLETENESS = (
    Chart(
        "pm25-complete",
        "Completeness of PM2.5: hours that came, % of those expected",
        "By station and month; days without any hour count. The newest day counts once it has ended.",
        "days",
        kinds.heat("month", "station", "pm25_completeness", "schemeRdYlGn", ",.0f", time="day", values=True),
    ),
    Chart(
        "co-complete",
        "Completeness of CO: hours that came, % of those expected",
        "By station and month; days without any hour count. The newest day counts once it has ended.",
        "days",
        kinds.heat("month", "station", "co_completeness", "schemeRdYlGn", ",.0f", time="day", values=True),
    ),
)
AHEAD = "The last 14 days of forecasts of one hour ahead: what came, the median, the bounds of four hours in five."
FORECASTS = (
    Chart(
        "pm25-forecast",
        "PM2.5: forecast an hour ahead, and what came",
        AHEAD,
        "forecast-hours",
        kinds.line("hour", HOUR, ["value_of_hour"], "series", PM25, TENTH, rows="sensor = 'pm25'"),
        any_time=False,
    ),
    Chart(
        "co-forecast",
        "CO: forecast an hour ahead, and what came",
        f"{AHEAD} A station whose CO has drifted has none.",
        "forecast-hours",
        kinds.line("hour", HOUR, ["value_of_hour"], "series", CO, HUNDREDTH, rows="sensor = 'co'"),
        any_time=False,
    ),
    Chart(
        "forecast-errors",
        "How far off forecasts of one hour ahead were",
        "Mean absolute errors, in the unit of the pollutant. Few hours tell little.",
        "forecast-errors",
        kinds.totals(
            ["station", "pollutant"],
            ["hours", "mean_error", "persistence", "skill", "coverage"],
            "hour",
        ),
    ),
)
RUNS = (
    Chart(
        "run-times",
        "Runs of airq-etl: how long they took",
        "A dot a run, coloured by how it ended.",
        "runs",
        kinds.dots("started_at", ["longest_s"], "state", "Seconds", TENTH),
        station=False,
    ),
    Chart(
        "runs",
        "The last 50 runs",
        "Newest first; times in UTC.",
        "runs",
        kinds.rows_of(
            ["started_at", "command", "state", "exit_code", "duration_s", "message"],
            "started_at",
            "started_at",
            50,
            {"duration_s": TENTH},
        ),
        station=False,
    ),
)

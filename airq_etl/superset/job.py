"""The charts of the work: how complete the data are, what forecasts were worth, how runs went."""

from airq_etl.superset.chart import CO, PM25, Chart, Section
from airq_etl.superset.forecasts import LOOKED_BACK_H
from airq_etl.superset.kinds import HOUR, MOMENT, Params, Scale, dots, line, percentages
from airq_etl.superset.tables import listed, totals

COMPLETENESS = Section(
    "Completeness",
    "Hours that came, per cent of those of the days; days without any hour count too, the newest once it has ended.",
    [
        (
            40,
            [
                Chart(
                    "pm25-complete", "PM2.5, % of the hours", "days", percentages("month", "station", "pm25_complete")
                ),
                Chart("co-complete", "CO, % of the hours", "days", percentages("month", "station", "co_complete")),
            ],
        )
    ],
)


def _beside(sensor: str, scale: Scale) -> Params:
    return line(HOUR, "value_of_hour", "series", scale, mark=5, rows=f"sensor = '{sensor}'")


ERRORS = ("hours", "mean_error", "persistence", "skill", "coverage")
FORECASTS = Section(
    "Forecasts, and what came",
    f"Forecasts of one hour ahead, of the newest {LOOKED_BACK_H // 24} days whatever the filter of time: dots are what "
    "came, the line is the median, and four hours in five should lie in the band. A station whose CO has drifted has "
    "no forecast of it. The table has all hours that came: mean absolute errors, in the unit of the pollutant, "
    "beside those of 'it stays as it is'.",
    [
        (50, [Chart("pm25-forecast", "PM2.5, an hour ahead", "forecast-hours", _beside("pm25", PM25), any_time=False)]),
        (50, [Chart("co-forecast", "CO, an hour ahead", "forecast-hours", _beside("co", CO), any_time=False)]),
        (
            42,
            [
                Chart(
                    "forecast-errors",
                    "How far off they were",
                    "forecast-errors",
                    totals(["station", "pollutant"], ERRORS, HOUR),
                )
            ],
        ),
    ],
)
LISTED = {"started_at": "", "command": "", "state": "", "exit_code": "", "duration_s": ",.1f", "message": ""}
TOOK = dots(MOMENT, "longest_s", "state", Scale("Took, seconds", ",.1f"))
RUNS = Section(
    "Runs of airq-etl",
    "A dot a run, by how it ended; in the table the newest first.",
    [
        (
            50,
            [
                Chart("run-times", "How long runs took", "runs", TOOK, station=False),
                Chart("runs", "Runs", "runs", listed(LISTED, MOMENT, "started_at"), station=False),
            ],
        )
    ],
)
SECTIONS = (COMPLETENESS, FORECASTS, RUNS)

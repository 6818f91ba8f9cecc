"""The charts of the air: by day and month, a station beside another, against guidelines."""

from airq_etl.guidelines import EU_PM25_DAY, WHO_CO_DAY, WHO_PM25_DAY
from airq_etl.superset.chart import CO, PM25, Chart, Section
from airq_etl.superset.kinds import DAY, MONTH, Line, Scale, bars, boxes, cloud, grouped, heat, line
from airq_etl.superset.tables import listed, totals

WHO = Line(f"WHO {WHO_PM25_DAY:g} µg/m³", WHO_PM25_DAY, "#E69F00")
EU = Line(f"EU {EU_PM25_DAY:g} µg/m³", EU_PM25_DAY, "#D55E00")
BOTH = Line(f"WHO, EU {WHO_CO_DAY:g} mg/m³", WHO_CO_DAY, "#D55E00")
HEAT = "schemeYlOrRd"

COVERED = ("first_day", "last_day", "calendar_days", "days_with_data", "pm25_valid_days", "co_valid_days")
STATIONS = Section(
    "Stations, and the days that they cover",
    "Days are those of the calendar, from a station's first to the newest that any station has. Means are over valid "
    "days.",
    [(22, [Chart("stations", "Stations", "days", totals(["station"], [*COVERED, "pm25_mean", "co_mean"], DAY))])],
)
PM25_DAYS = line(DAY, "pm25_mean", "station", PM25, across=(WHO, EU))
OVER_TIME = Section(
    "Over time",
    "Means of valid days; where a day has none the line breaks. Dashed are guidelines for the mean of a day: WHO has "
    "3 to 4 days a year above its own, the EU (from 2030) 18. CO is as reported, below zero where a sensor's zero has "
    "drifted; a click on the guideline's name hides it, and the axis then fits the readings.",
    [
        (50, [Chart("pm25-days", "PM2.5, mean of each valid day", "days", PM25_DAYS)]),
        (
            50,
            [
                Chart(
                    "co-days",
                    "CO, mean of each valid day",
                    "days",
                    line(DAY, "co_mean", "station", CO, across=(BOTH,)),
                )
            ],
        ),
    ],
)
BOTH_VALID = cloud(("co_mean", CO), ("pm25_mean", PM25), "one", "pm25 is not null and co is not null")
COMPARED = Section(
    "Stations compared",
    "Valid days. Half of them lie in the box, the line in it is the median, the whiskers reach the lowest and the "
    "highest. To the right each day that is valid for both.",
    [
        (
            50,
            [
                Chart("pm25-stations", "PM2.5 of valid days", "days", boxes("pm25_mean", PM25, "pm25 is not null")),
                Chart("co-stations", "CO of valid days", "days", boxes("co_mean", CO, "co is not null")),
                Chart("co-pm25", "CO against PM2.5, a dot a day", "days", BOTH_VALID),
            ],
        )
    ],
)
PM25_CHANGE, CO_CHANGE = (Scale(f"Change of {of.title}", f"+{of.form}") for of in (PM25, CO))
MONTHS_LISTED = {
    "month_name": "",
    "station": "",
    "days": "",
    "pm25_days": "",
    "pm25": PM25.form,
    "pm25_change": PM25_CHANGE.form,
    "pm25_change_percent": "+,.0f",
    "pm25_max": PM25.form,
    "co_days": "",
    "co": CO.form,
    "co_change": CO_CHANGE.form,
    "co_max": CO.form,
}
MONTHS = Section(
    "Months",
    "Means over the valid days of the month; the table has how many these are: a month with few compares badly, and "
    "the newest is under way. A change is against the month before, and missing where either has no valid day; of CO "
    "it is in mg/m³ alone, since about a drifting zero per cent say nothing.",
    [
        (
            46,
            [
                Chart("pm25-months", "PM2.5, monthly mean", "months", bars(MONTH, "pm25_mean", "station", PM25)),
                Chart("co-months", "CO, monthly mean", "months", bars(MONTH, "co_mean", "station", CO)),
            ],
        ),
        (
            46,
            [
                Chart(
                    "pm25-change",
                    "PM2.5, change against the month before",
                    "months",
                    bars(MONTH, "pm25_change", "station", PM25_CHANGE),
                ),
                Chart(
                    "co-change",
                    "CO, change against the month before",
                    "months",
                    bars(MONTH, "co_change", "station", CO_CHANGE),
                ),
            ],
        ),
        (48, [Chart("months", "Months, the newest first", "months", listed(MONTHS_LISTED, MONTH, "month"))]),
    ],
)
HIGHEST_LISTED = {
    "date": "",
    "station": "",
    "pm25": PM25.form,
    "pm25_hours": "",
    "pm25_max": PM25.form,
    "pm25_aqi": "",
    "co": CO.form,
}
HIGHEST_DAYS = listed(HIGHEST_LISTED, DAY, "pm25", "pm25 is not null")
MAXIMA = Section(
    "Maxima",
    "The highest hours are single ones, as reported, those of days that are not valid too. The table has valid days.",
    [
        (
            46,
            [
                Chart(
                    "pm25-hours", "PM2.5, highest hour of a month", "months", bars(MONTH, "pm25_max", "station", PM25)
                ),
                Chart("co-hours", "CO, highest hour of a month", "months", bars(MONTH, "co_max", "station", CO)),
            ],
        ),
        (48, [Chart("highest-days", "The days with the most PM2.5", "days", HIGHEST_DAYS)]),
    ],
)
PM25_CALENDAR = heat("day_of_month", "month", "pm25_day_max", PM25, HEAT) | {"value_bounds": [0, 75]}
CO_CALENDAR = heat("day_of_month", "month", "co_day_max", CO, HEAT) | {"value_bounds": [0, WHO_CO_DAY]}
"""Colours of the same reach everywhere: up to WHO's first interim target, and to its guideline."""
OVER = ("pm25_valid_days", "pm25_over_who", "pm25_over_eu")
GUIDELINES = Section(
    "Calendar, and days above the guidelines",
    "A calendar has a month a row, and of the stations chosen the highest mean of the valid days; white is a day "
    "without one. The colours reach from 0 to 75 µg/m³ and to 4 mg/m³, the guideline. "
    "A day above a guideline is a mark, no breach: WHO has 3 to 4 such days a year, the EU (from 2030) "
    "18. They are counted of valid days alone, which stand beside them: a year with few has fewer to be above.",
    [
        (
            54,
            [
                Chart("pm25-calendar", "PM2.5 by day, µg/m³", "days", PM25_CALENDAR),
                Chart("co-calendar", "CO by day, mg/m³", "days", CO_CALENDAR),
            ],
        ),
        (
            46,
            [
                Chart(
                    "over-guideline",
                    "Days of PM2.5: valid ones, and those above the guidelines",
                    "days",
                    grouped("station_year", "Station and year", OVER, Scale("Days", ",d"), DAY),
                ),
                Chart(
                    "guideline-years",
                    "Days above the guidelines, by year and station",
                    "days",
                    totals(["year", "station"], [*OVER, "co_valid_days", "co_over"], DAY),
                ),
            ],
        ),
    ],
)
SECTIONS = (STATIONS, OVER_TIME, COMPARED, MONTHS, MAXIMA, GUIDELINES)

"""The charts of the air: what was measured, by day and month, against guidelines, a station beside another."""

from airq_etl.guidelines import EU_PM25_DAY, WHO_CO_DAY, WHO_PM25_DAY
from airq_etl.superset import kinds
from airq_etl.superset.chart import CO, HUNDREDTH, PM25, TENTH, Chart
from airq_etl.superset.kinds import DAY, MONTH, Line

WHO = Line(f"WHO {WHO_PM25_DAY:g} µg/m³", WHO_PM25_DAY, "#E69F00")
EU = Line(f"EU {EU_PM25_DAY:g} µg/m³", EU_PM25_DAY, "#D55E00")
BOTH = Line(f"WHO, EU {WHO_CO_DAY:g} mg/m³", WHO_CO_DAY, "#D55E00")


VALID = "Means of valid days alone (75 % of the hours, 18 of 24)."
STATIONS = (
    Chart(
        "stations",
        "Stations, and the days that they cover",
        "Days are those of the calendar from a station's first to the last that any has. The means are over valid days.",
        "days",
        kinds.totals(
            ["station"],
            ["first_day", "last_day", "calendar_days", "days_with_data", "pm25_valid_days", "co_valid_days"]
            + ["pm25_mean", "co_mean"],
            "day",
        ),
    ),
)
OVER_TIME = (
    Chart(
        "pm25-days",
        "PM2.5, mean of each valid day",
        f"{VALID} Where a day has none the line breaks. WHO allows 3 to 4 days a year above its line, the EU 18.",
        "days",
        kinds.line("day", DAY, ["pm25_mean"], "station", PM25, TENTH, across=(WHO, EU)),
    ),
    Chart(
        "co-days",
        "CO, mean of each valid day",
        f"{VALID} Where a day has none the line breaks. As reported: a sensor whose zero has drifted reads below it.",
        "days",
        kinds.line("day", DAY, ["co_mean"], "station", CO, HUNDREDTH, across=(BOTH,)),
    ),
)
COMPARED = (
    Chart(
        "pm25-stations",
        "Stations compared: PM2.5 of valid days",
        "Half of the valid days lie in the box, the line in it is the median, the whiskers reach the lowest and the "
        "highest.",
        "days",
        kinds.boxes("pm25_mean", "day", PM25, TENTH, "pm25 is not null"),
    ),
    Chart(
        "co-stations",
        "Stations compared: CO of valid days",
        "Half of the valid days lie in the box, the line in it is the median, the whiskers reach the lowest and the "
        "highest.",
        "days",
        kinds.boxes("co_mean", "day", CO, HUNDREDTH, "co is not null"),
    ),
    Chart(
        "co-pm25",
        "CO against PM2.5, a dot a day",
        "Days that are valid for both.",
        "days",
        kinds.cloud(
            "co_mean",
            "pm25_mean",
            (CO, PM25),
            (HUNDREDTH, TENTH),
            size="hours_least",
            time="day",
            rows="pm25 is not null and co is not null",
        ),
    ),
)
MONTHS = (
    Chart(
        "pm25-months",
        "PM2.5, monthly mean of valid days",
        "How many valid days lie under each stands in the table of months.",
        "months",
        kinds.bars("month", MONTH, ["pm25_mean"], "station", PM25, TENTH),
    ),
    Chart(
        "co-months",
        "CO, monthly mean of valid days",
        "How many valid days lie under each stands in the table of months.",
        "months",
        kinds.bars("month", MONTH, ["co_mean"], "station", CO, HUNDREDTH),
    ),
    Chart(
        "pm25-change",
        "PM2.5, change against the month before",
        "Of monthly means; none where either month has no valid day.",
        "months",
        kinds.bars("month", MONTH, ["pm25_change"], "station", "Change of PM2.5, µg/m³", "+,.1f"),
    ),
    Chart(
        "co-change",
        "CO, change against the month before",
        "Of monthly means; none where either month has no valid day. In mg/m³ alone: about a drifting zero per cent say "
        "nothing.",
        "months",
        kinds.bars("month", MONTH, ["co_change"], "station", "Change of CO, mg/m³", "+,.2f"),
    ),
    Chart(
        "months",
        "Months: means, the valid days under them, change, highest hour",
        "A month with few valid days compares badly. The newest month is under way.",
        "months",
        kinds.rows_of(
            ["month_name", "station", "days", "pm25_days", "pm25", "pm25_change", "pm25_change_percent", "pm25_max"]
            + ["co_days", "co", "co_change", "co_max"],
            "month",
            "month",
            1000,
            {
                **dict.fromkeys(("pm25", "pm25_max"), TENTH),
                **dict.fromkeys(("co", "co_max"), HUNDREDTH),
                "pm25_change": "+,.1f",
                "pm25_change_percent": "+,.0f",
                "co_change": "+,.2f",
            },
        ),
    ),
)
HIGHEST = (
    Chart(
        "pm25-hours",
        "PM2.5, highest hour of each month",
        "Single hours as reported, those of days that are not valid too.",
        "months",
        kinds.bars("month", MONTH, ["pm25_max"], "station", PM25, TENTH),
    ),
    Chart(
        "co-hours",
        "CO, highest hour of each month",
        "Single hours as reported, those of days that are not valid too.",
        "months",
        kinds.bars("month", MONTH, ["co_max"], "station", CO, HUNDREDTH),
    ),
    Chart(
        "highest-days",
        "The 20 days with the most PM2.5",
        "Valid days, by their mean.",
        "days",
        kinds.rows_of(
            ["date", "station", "pm25", "pm25_hours", "pm25_max", "pm25_aqi", "co"],
            "day",
            "pm25",
            20,
            {"pm25": TENTH, "pm25_max": TENTH, "co": HUNDREDTH},
            "pm25 is not null",
        ),
    ),
)
GUIDELINES = (
    Chart(
        "pm25-calendar",
        "PM2.5 calendar, µg/m³: months by days of the month",
        "Of the stations chosen the highest mean of the valid days; white where no station has one.",
        "days",
        kinds.heat("day_of_month", "month", "pm25_day_max", "schemeYlOrRd", TENTH, time="day"),
    ),
    Chart(
        "co-calendar",
        "CO calendar, mg/m³: months by days of the month",
        "Of the stations chosen the highest mean of the valid days; white where no station has one.",
        "days",
        kinds.heat("day_of_month", "month", "co_day_max", "schemeYlOrRd", HUNDREDTH, time="day"),
    ),
    Chart(
        "over-guideline",
        "Days above the guideline, beside the valid days under them",
        "A day above is a mark, no breach: WHO allows 3 to 4 such days a year, the EU 18 (from 2030).",
        "days",
        kinds.grouped(
            "station_year", ["pm25_valid_days", "pm25_over_who", "pm25_over_eu"], "Station and year", "Days", "day"
        ),
    ),
    Chart(
        "guideline-years",
        "Days above the guidelines, by station and year",
        "Of valid days alone; a year with few of them has fewer to be above.",
        "days",
        kinds.totals(
            ["year", "station"],
            ["pm25_valid_days", "pm25_over_who", "pm25_over_eu", "co_valid_days", "co_over"],
            "day",
        ),
    ),
)

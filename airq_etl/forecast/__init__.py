"""The forecast of the next hours of each pollutant at each station: quantiles, honestly scored.

grid -> features -> fitted -> tracks -> gate -> serving
hours  inputs       a model   how it did  who serves  the forecast
"""

POLLUTANTS = ("pm25", "co", "pm10", "no2", "o3")
HORIZON, LONGEST = 2, 6
"""Hours ahead: those of each run, and the most that can be asked for."""
LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
"""The quantiles of a forecast: the bounds of the 95 % and 80 % intervals around the median, in order."""
QUANTILES = ("lo95", "lo80", "median", "hi80", "hi95")
"""Their columns, in the same order."""

"""airq-etl: every hour of AirQino stations kept, and their daily means with what lies under them."""

__version__ = "0.1.0"

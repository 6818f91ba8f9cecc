"""forecast: the next hours of each pollutant, made, kept, sent to the store, and scored when they have come."""

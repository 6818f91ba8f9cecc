"""How long things take, for anyone to see: `python -m tests.bench.NAME`. No time is asserted."""

"""How long things take, for anyone to see: `python -m tests.bench`. No time is asserted."""

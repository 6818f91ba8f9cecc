"""forecast: the next hours of each pollutant, made, kept, sent to the store, and scored when they have come."""

import os

# The matrices are small: threads cost more than they give, and take the other cores from whoever needs them. Read by
# numpy's libraries when they are loaded.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

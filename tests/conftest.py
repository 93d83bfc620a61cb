"""What all tests run under: the same examples in every run, and one BLAS thread per process."""

import os

from hypothesis import settings

# The tests run in as many processes as there are cores; with as many threads in each, matrix
# products would wait for one another. The processes inherit this before they load NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile(
    "same examples every time", derandomize=True, max_examples=60, deadline=None
)
settings.load_profile("same examples every time")

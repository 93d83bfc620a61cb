"""Hypothesis draws the same examples in every run: a failure here is a failure everywhere."""

from hypothesis import settings

settings.register_profile(
    "same examples every time", derandomize=True, max_examples=60, deadline=None
)
settings.load_profile("same examples every time")

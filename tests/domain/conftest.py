"""`pytest tests/domain --hypothesis-profile=long` looks 25 times as hard (minutes)."""

from hypothesis import settings

settings.register_profile("long", max_examples=2500, deadline=None)

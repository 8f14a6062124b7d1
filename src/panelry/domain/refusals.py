"""The kinds of trouble: refusals (a no is a value) and failures of the outside. A third kind, the bug, has no class."""

from functools import partial
from typing import Any, ClassVar


class Refusal(Exception):  # its name finishes "it was refused because …"
    """An expected no, with a stable code and the details that its text needs.

    Operations on one thing raise it; operations on a set return it in the place of that element's result.
    """

    code: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.code = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")

    def __init__(self, **details: str | int) -> None:
        super().__init__(self.code, details)
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self.details), ()

    def __str__(self) -> str:
        reason = (type(self).__doc__ or self.code).partition("because ")[2].rstrip(". \n") or self.code
        extra = ", ".join(f"{name} {value}" for name, value in self.details.items())
        return f"{reason} ({extra})" if extra else reason


class OperatorRefusal(Refusal):
    """A no that only staff or the command line can meet; it has no answer in the resellers' API."""


class TemporaryFailure(Exception):
    """Something outside failed in a way that a later try may cure."""


class PermanentFailure(Exception):
    """Something outside failed in a way that only a person can cure."""

"""The pages of the documentation in their order, and what each is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FIRST: Final = "overview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its address below `/developers/`, the group that lists it, and the actions that it explains."""

    slug: str
    group: str
    actions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what `reverse` knows it by; its Markdown's name has `.md` at the end."""
        return "developers" if self.slug == FIRST else f"developers/{self.slug}"

    @property
    def address(self) -> str:
        """Return where it stands, below the root of its language."""
        return f"{self.name}/"

    @property
    def file(self) -> str:
        """Return where its Markdown stands."""
        return f"developers/{self.slug}.md"


GROUPS: Final[dict[str, str | Promise]] = {
    "introduction": _("Introduction"),
    "catalog": _("Catalogue"),
    "orders": _("Orders"),
    "account": _("Account"),
    "webhooks": _("Webhooks"),
    "reference": _("Reference"),
}
PAGES: Final = (
    Page(slug=FIRST, group="introduction"),
    Page(slug="getting-started", group="introduction"),
    Page(slug="authentication", group="introduction"),
    Page(slug="rate-limits", group="introduction"),
    Page(slug="errors", group="introduction"),
    Page(slug="list-services", group="catalog", actions=("services",)),
    Page(slug="place-order", group="orders", actions=("add",)),
    Page(slug="order-status", group="orders", actions=("status",)),
    Page(slug="refill", group="orders", actions=("refill", "refill_status")),
    Page(slug="cancel", group="orders", actions=("cancel",)),
    Page(slug="balance", group="account", actions=("balance",)),
    Page(
        slug="webhooks",
        group="webhooks",
        actions=("webhook.add", "webhook.list", "webhook.test", "webhook.remove"),
    ),
    Page(slug="changelog", group="reference"),
    Page(slug="sdks", group="reference"),
)
BY_SLUG: Final = {page.slug: page for page in PAGES}


def grouped() -> Iterator[tuple[str | Promise, list[Page]]]:
    """Return each group's heading with its pages, in order."""
    for group, pages in groupby(PAGES, key=lambda page: page.group):
        yield GROUPS[group], list(pages)


def around(page: Page) -> tuple[Page | None, Page | None]:
    """Return the page before and the page after one."""
    at = PAGES.index(page)
    return (PAGES[at - 1] if at else None), (PAGES[at + 1] if at + 1 < len(PAGES) else None)

"""What a reader asks of the price list, and what of it answers that."""

import re
from dataclasses import dataclass, fields, replace
from typing import Final, Self

from django.http import Http404, QueryDict

from panelry.domain.catalog import PER_PACKAGE, PER_THOUSAND
from panelry.web.site.price_list import Entry, PriceList, folded

LONGEST_SEARCH: Final = 100
PER_PAGE: Final = 100
_PAGE: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
PRICED: Final = {"thousand": PER_THOUSAND, "package": PER_PACKAGE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Filters as their form sends them; empty ones ask for nothing. `page` counts from 1."""

    q: str = ""
    category: str = ""
    platform: str = ""
    type: str = ""
    priced: str = ""
    refill: bool = False
    dripfeed: bool = False
    cancel: bool = False
    page: int = 1

    @classmethod
    def read(cls, asked: QueryDict) -> Self:
        """Take the filters out of an address. Raises `Http404` for a page that is no number."""
        page = asked.get("page") or "1"
        if not _PAGE.fullmatch(page):
            raise Http404
        return cls(
            q=asked.get("q", "").strip()[:LONGEST_SEARCH],
            category=asked.get("category", "").strip(),
            platform=asked.get("platform", "").strip(),
            type=asked.get("type", "").strip(),
            priced=asked.get("priced", "").strip(),
            refill=bool(asked.get("refill")),
            dripfeed=bool(asked.get("dripfeed")),
            cancel=bool(asked.get("cancel")),
            page=int(page),
        )

    @property
    def is_narrow(self) -> bool:
        """Tell whether anything is asked at all."""
        return replace(self, page=1) != type(self)()

    @property
    def address(self) -> str:
        """Return the query of an address that asks the same; only what is asked stands in it."""
        asked = QueryDict(mutable=True)
        for one in fields(self):
            value = getattr(self, one.name)
            if value != one.default:
                asked[one.name] = "1" if value is True else str(value)
        return f"?{asked.urlencode()}" if asked else "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of the services that answer a question, of so many pages, and which those are (counted from 1)."""

    entries: tuple[Entry, ...]
    total: int
    first: int
    pages: int

    @property
    def last(self) -> int:
        """Return the place of the last one."""
        return self.first + len(self.entries) - 1 if self.entries else 0


def find(price_list: PriceList, question: Question) -> Found:
    """Return what answers a question, in the order of the price list. Raises `Http404` for a page beyond the last."""
    words = folded(question.q).split()
    per = PRICED.get(question.priced)
    wanted = [
        entry
        for entry in price_list.entries
        if (not question.category or entry.listing.category == question.category)
        and (not question.platform or entry.platform == question.platform)
        and (not question.type or entry.listing.type == question.type)
        and (per is None or entry.listing.rate_per == per)
        and (not question.refill or entry.listing.refill)
        and (not question.dripfeed or entry.listing.dripfeed)
        and (not question.cancel or entry.listing.cancel)
        and all(word in entry.words for word in words)
    ]
    pages = max(-(-len(wanted) // PER_PAGE), 1)
    if question.page > pages:
        raise Http404
    skipped = (question.page - 1) * PER_PAGE
    return Found(
        entries=tuple(wanted[skipped : skipped + PER_PAGE]),
        total=len(wanted),
        first=skipped + 1 if wanted else 0,
        pages=pages,
    )

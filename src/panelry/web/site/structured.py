"""What search engines are told beside the page (schema.org as JSON-LD): only what the page itself says."""

import json
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from panelry.web.brand import brand
from panelry.web.content import prose
from panelry.web.content.models import Post, Question
from panelry.web.site.addresses import whole
from panelry.web.site.prices import Row
from panelry.web.words import amount

_ESCAPES: Final = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}

Data = dict[str, Any]


def script(data: Data) -> SafeString:
    """Write data so that it can stand in a `<script>`."""
    text = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308 (nothing in it can end the script)


def organization(request: HttpRequest) -> Data:
    """Say who runs the site."""
    return {
        "@type": "Organization",
        "name": brand(request)["brand"].name,
        "url": whole(request, "home"),
        "contactPoint": {
            "@type": "ContactPoint",
            "contactType": "customer support",
            "url": whole(request, "contact"),
            "availableLanguage": [code for code, _ in settings.LANGUAGES],
        },
    }


def service(request: HttpRequest, row: Row, rate_per: int) -> Data:
    """Say what one service is and what it costs."""
    return {
        "@type": "Service",
        "name": row.name,
        "category": row.category,
        "url": whole(request, "service", row.id),
        "provider": {"@type": "Organization", "name": brand(request)["brand"].name},
        "offers": {
            "@type": "Offer",
            "priceCurrency": settings.PANELRY_CURRENCY,
            "price": amount(row.rate_micros),
            "priceSpecification": {
                "@type": "UnitPriceSpecification",
                "price": amount(row.rate_micros),
                "priceCurrency": settings.PANELRY_CURRENCY,
                "referenceQuantity": {"@type": "QuantitativeValue", "value": rate_per},
            },
        },
    }


def faq(request: HttpRequest, questions: Sequence[Question]) -> Data:
    """Say all questions with their answers."""
    name = brand(request)["brand"].name
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": one.title,
                "acceptedAnswer": {"@type": "Answer", "text": prose.html(one.body, name=name)},
            }
            for one in questions
        ],
    }


def posting(request: HttpRequest, post: Post) -> Data:
    """Say what a post is."""
    assert post.published_at is not None
    return {
        "@type": "BlogPosting",
        "headline": post.title,
        "description": post.description,
        "inLanguage": post.language,
        "datePublished": post.published_at.isoformat(),
        "dateModified": max(post.changed_at, post.published_at).isoformat(),
        "mainEntityOfPage": whole(request, "post", post.slug),
        "author": {"@type": "Organization", "name": brand(request)["brand"].name},
    }

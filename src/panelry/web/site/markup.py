"""What templates of public pages need beside words and amounts; all of it is in every template."""

from datetime import datetime

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from panelry.web.brand import Brand
from panelry.web.content import prose as content
from panelry.web.content.models.writing import Written
from panelry.web.site.addresses import root
from panelry.web.site.prices import plain

register = template.Library()


@register.simple_tag(takes_context=True)
def prose(context: Context, written: Written) -> SafeString:
    """Write a body as HTML, in the language that its reader sees."""
    brand = context["brand"]
    assert isinstance(brand, Brand)
    return content.html(written.body, name=brand.name)


@register.simple_tag(takes_context=True)
def named(context: Context, text: str) -> str:
    """Put the panel's name into a title or a summary."""
    return text.replace(content.NAME, context["brand"].name)


@register.simple_tag(takes_context=True)
def url_of_page(context: Context) -> str:
    """Return the whole address of the page that is being made, without what is asked of it."""
    request = context["request"]
    assert isinstance(request, HttpRequest)
    return root(request) + request.path


@register.filter
def minute(at: datetime) -> str:
    """Write an instant to the minute, in the reader's language; it is UTC."""
    return f"{date_format(at, 'DATE_FORMAT')}, {at:%H:%M}"


register.filter("plain_text", plain)

"""What each parameter means, in words with Markdown's code spans; a test proves the table complete."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panelry.contract import Kind, Needed, Parameter
from panelry.web.words import counted

MOSTLY: Final = 10
"""A parameter that so many types need is said to be needed by most of them."""

KINDS: Final[Mapping[Kind, str | Promise]] = {
    Kind.STRING: gettext_lazy("string"),
    Kind.INTEGER: gettext_lazy("integer"),
    Kind.URL: gettext_lazy("string, URL"),
    Kind.LINES: gettext_lazy("string, one item a line"),
    Kind.DATE: gettext_lazy("string, DD/MM/YYYY"),
    Kind.ID: gettext_lazy("string, id"),
    Kind.IDS: gettext_lazy("string, ids with commas"),
    Kind.EVENTS: gettext_lazy("string, names with commas"),
}

KEY: Final = gettext_lazy("Your API key. It goes in the body, never in a header or the address.")
ACTION: Final = gettext_lazy("Always `%(action)s`.")

MEANINGS: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("add", "service"): gettext_lazy(
        "The number from [List services](list-services.md). The service must be on sale at this moment."
    ),
    ("add", "request_id"): gettext_lazy(
        "Your own name for this order, at most %(most)s characters; a UUID is a good choice. Two orders need two names."
    ),
    ("add", "link"): gettext_lazy(
        "What the order is for: an http or https address of at most %(most)s characters. "
        "Subscriptions take `username` in its place."
    ),
    ("add", "quantity"): gettext_lazy(
        "Between the service's `min` and `max`. Types that are counted by lines or sold as a package ignore it."
    ),
    ("add", "runs"): gettext_lazy(
        "Drip-feed: how many times the quantity is delivered, at most %(most)s. Only where the service has `dripfeed`."
    ),
    ("add", "interval"): gettext_lazy(
        "Drip-feed: minutes from one run to the next, at most %(most)s. Needed, and counted, when `runs` is above 1."
    ),
    ("add", "coupon"): gettext_lazy(
        "A coupon code. One that does not apply refuses the order and charges nothing."
    ),
    ("add", "username"): gettext_lazy("A name without its address, at most %(most)s characters."),
    ("add", "usernames"): gettext_lazy("Names, at most %(most)s lines."),
    ("add", "comments"): gettext_lazy("The comments themselves, at most %(most)s lines."),
    ("add", "hashtag"): gettext_lazy("The hashtag whose users are mentioned, at most %(most)s characters."),
    ("add", "hashtags"): gettext_lazy("Hashtags, at most %(most)s lines."),
    ("add", "media"): gettext_lazy("The post whose likers are mentioned, at most %(most)s characters."),
    ("add", "groups"): gettext_lazy("Groups, at most %(most)s lines."),
    ("add", "keywords"): gettext_lazy("Search words, at most %(most)s lines."),
    ("add", "answer_number"): gettext_lazy("The number of the poll's answer, counted from 1."),
    ("add", "country"): gettext_lazy("Where the visitors come from, as the service's description names it."),
    ("add", "device"): gettext_lazy(
        "A number from %(least)s to %(most)s; the service's description says which is which."
    ),
    ("add", "type_of_traffic"): gettext_lazy(
        "1: from a search engine, needs `google_keyword`. 2: from a page, needs `referring_url`. 3: direct."
    ),
    ("add", "google_keyword"): gettext_lazy("What visitors searched for, where `type_of_traffic` is 1."),
    ("add", "referring_url"): gettext_lazy("The page that visitors come from, where `type_of_traffic` is 2."),
    ("add", "min"): gettext_lazy("The least for each post, within the service's limits."),
    ("add", "max"): gettext_lazy("The most for each post, not below `min` and within the service's limits."),
    ("add", "posts"): gettext_lazy("How many new posts are served. Without it their number is open."),
    ("add", "old_posts"): gettext_lazy("How many of the posts that are there already are served, too."),
    ("add", "delay"): gettext_lazy("Minutes to wait after a post, at most %(most)s; 0 is none."),
    ("add", "expiry"): gettext_lazy(
        "The last day of the subscription, today (UTC) or later. Without it there is none."
    ),
    ("status", "order"): gettext_lazy("The id that Place order answered."),
    ("status", "orders"): gettext_lazy(
        "In its place: at most %(most)s ids. Ids that are not yours are left out."
    ),
    ("refill", "order"): gettext_lazy("The order that dropped."),
    ("refill", "orders"): gettext_lazy("In its place: at most %(most)s ids, each judged on its own."),
    ("refill_status", "refill"): gettext_lazy("The id that the refill was answered with."),
    ("refill_status", "refills"): gettext_lazy("In its place: at most %(most)s ids."),
    ("cancel", "order"): gettext_lazy("The order to end."),
    ("cancel", "orders"): gettext_lazy("In its place: at most %(most)s ids, each judged on its own."),
    ("webhook.add", "url"): gettext_lazy(
        "Where events are posted to: an https address on port 443 of at most %(most)s characters, without a user name, "
        "whose name leads to public addresses only."
    ),
    ("webhook.add", "events"): gettext_lazy("What you want to be told. Without it you are told everything."),
    ("webhook.test", "webhook"): gettext_lazy(
        "The endpoint that an event is sent to. It must not be disabled."
    ),
    ("webhook.remove", "webhook"): gettext_lazy(
        "The endpoint to remove. What still waits for it is given up."
    ),
}


def meaning(action: str, parameter: Parameter) -> str:
    """Say what a parameter of an action means, with its limits."""
    limits = {"least": counted(parameter.least or 0), "most": counted(parameter.most or 0)}
    return str(MEANINGS[action, parameter.name]) % limits


def needed(parameter: Parameter) -> str:
    """Say whether a parameter must be sent."""
    match parameter.needed:
        case Needed.ALWAYS:
            return _("required")
        case Needed.ONE_OF:
            return _("one of the two is required")
        case Needed.BY_TYPE if len(parameter.required_by) > MOSTLY:
            return _("required for most types")
        case Needed.BY_TYPE:
            return _("required for %(types)s") % {"types": ", ".join(parameter.required_by)}
        case Needed.NEVER:
            return _("optional")

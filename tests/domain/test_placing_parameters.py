"""What a draft may say, and how it is told that it may not."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from urllib.parse import urlsplit

import pytest
from every_type import EVERY, LINK
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Given, draft
from panelry.database.pool import Conn
from panelry.domain.catalog import Service, ServiceId, ServiceNotFound
from panelry.domain.money import Micros
from panelry.domain.orders import (
    PARAMETERS,
    Draft,
    DripFeedUnavailable,
    InvalidExpiry,
    InvalidLink,
    InvalidQuantity,
    InvalidUrl,
    LinkTooLong,
    MaxBelowMin,
    MissingParameter,
    NotOneLine,
    NotPositiveInteger,
    NotWholeNumber,
    ParameterOutOfRange,
    ParameterTooLong,
    Placed,
    QuantityOutOfRange,
    TooManyLines,
    place,
    positive_integer,
    rules,
)
from panelry.domain.orders.rules import fingerprint
from panelry.domain.orders.values import Wanted
from panelry.domain.refusals import Refusal

NOT_POSITIVE_INTEGERS = [
    "0", "000", "", " ", "-1", "+5", " 5 ", "5 ", "5\n", "1e3", "1E3", "1.0", "5,000", "5_000", "0x10", "NaN", "Infinity",
    "\uff15\uff10", "\u0665\u0660", "\u00b2", "\u2460", "five", "5;", "--5", "5-", "\x005", "\u200b5",
]  # fmt: skip
GOOD_LINKS = [
    LINK, "http://example.com", "HTTPS://EXAMPLE.COM/A", "https://müller.example/straße", "https://例え.テスト/パス",
    "https://xn--mller-kva.example/", "http://127.0.0.1:8080/x?y=z#q", "http://[::1]:80/", "https://example.com:/",
    "https://u:p@example.com/", "https://example.com/%20a?b=%00", "https://example.com/" + "a" * 980,
    "https://example.com/a'b\"c<d>;--", "https://example.com/\U0001f600",
]  # fmt: skip
BAD_LINKS = [
    "javascript:alert(1)", "ftp://example.com/", "file:///etc/passwd", "data:text/html,x", "mailto:a@example.com",
    "//example.com/", "example.com", "@user", "https:example.com", "https:/example.com", "https://", "http:///path",
    "https://?x", "https://#x", "https://:80/", "https://example.com:99999/", "https://example.com:-1/",
    "https://example.com:http/", "https://[::1/", "https://]/", "https://[zz]/", "https://exa mple.com/",
    "https://example.com/a b", " https://example.com", "https://example.com\n", "https://exam\tple.com",
    "https://example.com/\x00", "https://example.com/\u202e", "https://example.com/\u00a0", "https://example.com/\ud800",
    "\uff48ttps://example.com", "java\nscript:alert(1)", "https\u200b://example.com", "h", "://", ":",
]  # fmt: skip


def service(
    type_: str = "Default", *, minimum: int = 10, maximum: int = 10_000, dripfeed: bool = False
) -> Service:
    return Service(
        id=ServiceId(1), type=type_, category=1, rate_micros=Micros(1), rate_per=1000, minimum=minimum, maximum=maximum,
        dripfeed=dripfeed, cancel=False, routes=(),
    )  # fmt: skip


def said(**changes: str) -> dict[str, str]:
    return {"link": LINK, "quantity": "100"} | changes


def of(type_: str, **changes: str) -> dict[str, str]:
    """Write a complete order of a type, enough of it for the smallest quantity."""
    lines = {name: "\n".join("abcdefghij") for name in ("comments", "usernames") if name in EVERY[type_].said}
    return {**EVERY[type_].said, **lines, **changes}


def read(service: Service, parameters: Mapping[str, str]) -> Wanted:
    return rules.read(service, parameters, today=date(2026, 11, 22))


@pytest.mark.parametrize("name", ["link", "quantity"])
def test_a_parameter_that_the_type_needs_must_be_there(name: str) -> None:
    with pytest.raises(MissingParameter) as refused:
        read(service(), {k: v for k, v in said().items() if k != name})
    assert refused.value.details == {"parameter": name}


@pytest.mark.parametrize("text", NOT_POSITIVE_INTEGERS)
def test_a_quantity_is_a_positive_integer_in_plain_digits(text: str) -> None:
    assert positive_integer(text) is None
    with pytest.raises(InvalidQuantity):
        read(service(minimum=1), said(quantity=text))


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("007", 7), ("0" * 5000 + "12", 12), ("9" * 18, 10**18 - 1)]
)
def test_leading_zeros_do_not_matter(text: str, number: int) -> None:
    assert positive_integer(text) == number


@for_all(st.text(alphabet="0123456789+-.eE \u0660\uff10_", max_size=30))
@example("9" * 30)
@example(str(2**63))
def test_a_number_is_read_exactly_or_as_the_largest_that_a_column_holds(text: str) -> None:
    number = positive_integer(text)
    if number is None:
        assert not (text.isascii() and text.isdigit() and int(text) > 0)
    else:
        assert number == min(int(text), 2**63 - 1)


@pytest.mark.parametrize("text", ["1", "9", "10001", "9" * 30, str(2**63), "9" * 5000])
def test_a_quantity_outside_the_limits_is_told_the_limits(text: str) -> None:
    with pytest.raises(QuantityOutOfRange) as refused:
        read(service(), said(quantity=text))
    assert refused.value.details == {"min": 10, "max": 10_000}


@pytest.mark.parametrize("text", ["10", "0010", "10000"])
def test_the_limits_themselves_are_allowed(text: str) -> None:
    assert read(service(), said(quantity=text)).quantity == int(text)


@pytest.mark.parametrize("link", GOOD_LINKS)
def test_a_link_is_taken_as_it_is(link: str) -> None:
    assert read(service(), said(link=link)).link == link


@pytest.mark.parametrize("link", BAD_LINKS, ids=ascii)
def test_a_link_must_be_an_http_url(link: str) -> None:
    with pytest.raises(InvalidLink):
        read(service(), said(link=link))


@for_all(st.from_regex(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#][!-~]*)?", fullmatch=True))
def test_a_link_that_looks_usual_is_taken_and_one_for_the_library_too(link: str) -> None:
    assert read(service(), said(link=link)).link == link
    parts = urlsplit(link)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert parts.port is None or 0 <= parts.port <= 9999


def test_a_link_has_at_most_1000_characters() -> None:
    assert read(service(), said(link="https://example.com/" + "é" * 980)).link
    for link in ("https://example.com/" + "a" * 981, "x" * 1001, "https://example.com/" + "\U0001f600" * 981):
        with pytest.raises(LinkTooLong):
            read(service(), said(link=link))


@for_all(st.text(max_size=60) | st.text(max_size=40).map("https://".__add__))
def test_any_link_is_taken_or_refused_and_never_a_crash(link: str) -> None:
    try:
        wanted = read(service(), said(link=link))
    except InvalidLink:
        return
    assert wanted.link == link
    assert link.lower().startswith(("http://", "https://"))
    assert not any(character.isspace() or character == "\0" for character in link)


@pytest.mark.parametrize("name", ["runs", "interval"])
@pytest.mark.parametrize("text", ["0", "-1", "1e3", "x", "\uff15"])
def test_every_numeric_parameter_is_a_positive_integer(name: str, text: str) -> None:
    with pytest.raises(NotPositiveInteger) as refused:
        read(service(dripfeed=True), said(**{name: text}))
    assert refused.value.details == {"parameter": name}


def test_runs_are_refused_where_a_service_is_not_delivered_in_runs() -> None:
    for runs in ("1", "2"):
        with pytest.raises(DripFeedUnavailable):
            read(service(), said(runs=runs, interval="5"))
        with pytest.raises(DripFeedUnavailable):
            read(service("Mentions", dripfeed=True), of("Mentions", runs=runs, interval="5"))
    assert read(service(), said(interval="5")).quantity == 100


def test_only_more_than_one_run_makes_a_drip_feed() -> None:
    for more in ({}, {"interval": "5"}, {"runs": "1"}, {"runs": "01", "interval": "9" * 30}):
        wanted = read(service(dripfeed=True), said(**more))
        assert (wanted.runs, wanted.interval_minutes, wanted.quantity, wanted.extras) == (1, None, 100, {})
    wanted = read(service(dripfeed=True), said(runs="1000", interval="525600"))
    assert (wanted.runs, wanted.interval_minutes, wanted.quantity, wanted.extras) == (1000, 525_600, 100, {})


def test_runs_need_an_interval() -> None:
    with pytest.raises(MissingParameter) as refused:
        read(service(dripfeed=True), said(runs="2"))
    assert refused.value.details == {"parameter": "interval"}


@pytest.mark.parametrize(
    ("more", "details"),
    [
        ({"runs": "1001", "interval": "1"}, {"parameter": "runs", "min": 1, "max": 1000}),
        ({"runs": "9" * 40, "interval": "1"}, {"parameter": "runs", "min": 1, "max": 1000}),
        ({"runs": "2", "interval": "525601"}, {"parameter": "interval", "min": 1, "max": 525_600}),
    ],
)
def test_runs_and_their_interval_have_limits(more: dict[str, str], details: dict[str, str | int]) -> None:
    with pytest.raises(ParameterOutOfRange) as refused:
        read(service(dripfeed=True), said(**more))
    assert refused.value.details == details


def test_all_runs_together_are_never_more_than_a_column_holds() -> None:
    large = service(minimum=1, maximum=2**63 - 1, dripfeed=True)
    assert read(large, said(quantity=str(2**62 - 1), runs="2", interval="1")).runs == 2
    for quantity, most in ((2**62, 1), (2**63 - 1, 1), (2**61, 3)):
        with pytest.raises(ParameterOutOfRange) as refused:
            read(large, said(quantity=str(quantity), runs="4", interval="1"))
        assert refused.value.details == {"parameter": "runs", "min": 1, "max": most}


def test_the_quantity_of_each_run_is_within_the_limits() -> None:
    with pytest.raises(QuantityOutOfRange):
        read(service(dripfeed=True), said(quantity="9", runs="2", interval="1"))
    assert read(service(dripfeed=True), said(quantity="10000", runs="1000", interval="1")).quantity == 10_000


def test_a_coupon_is_handed_on_as_it_was_said() -> None:
    assert read(service(), said(coupon="Spring")).coupon == "Spring"
    assert read(service(), said()).coupon is None


# Parameters of the other types

NUMBERS = [
    ("Poll", "answer_number", 1, 2**31 - 1), ("Web Traffic", "device", 1, 5), ("Web Traffic", "type_of_traffic", 1, 3),
    ("Subscriptions", "posts", 1, 2**31 - 1), ("Subscriptions", "old_posts", 0, 2**31 - 1),
    ("Subscriptions", "delay", 0, 525_600),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "name", "least", "most"), NUMBERS)
def test_a_numeric_parameter_has_limits_and_is_kept_in_plain_digits(
    type_: str, name: str, least: int, most: int
) -> None:
    for number in (least, most):
        assert read(service(type_), of(type_, **{name: f"00{number}"})).extras[name] == str(number)
    for text in (str(most + 1), "9" * 40):
        with pytest.raises(ParameterOutOfRange) as refused:
            read(service(type_), of(type_, **{name: text}))
        assert refused.value.details == {"parameter": name, "min": least, "max": most}


@pytest.mark.parametrize(("type_", "name", "least", "most"), NUMBERS)
@pytest.mark.parametrize("text", NOT_POSITIVE_INTEGERS)
def test_what_is_no_number_is_refused_and_zero_only_where_it_means_nothing(
    type_: str, name: str, least: int, most: int, text: str
) -> None:
    if not least and text.strip("0") == "" and text:
        assert read(service(type_), of(type_, **{name: text})).extras[name] == "0"
        return
    with pytest.raises(NotPositiveInteger if least else NotWholeNumber) as refused:
        read(service(type_), of(type_, **{name: text}))
    assert refused.value.details == {"parameter": name}


@pytest.mark.parametrize("name", ["min", "max"])
def test_what_each_post_gets_is_within_the_limits_of_the_service(name: str) -> None:
    for text in ("9", "1001", "9" * 40):
        with pytest.raises(QuantityOutOfRange) as refused:
            read(service("Subscriptions", maximum=1000), of("Subscriptions", **{name: text}))
        assert refused.value.details == {"min": 10, "max": 1000}
    with pytest.raises(NotPositiveInteger):
        read(service("Subscriptions"), of("Subscriptions", **{name: "0"}))


def test_the_most_for_each_post_is_at_least_the_least() -> None:
    assert read(service("Subscriptions"), of("Subscriptions", min="20", max="020")).extras["max"] == "20"
    with pytest.raises(MaxBelowMin):
        read(service("Subscriptions"), of("Subscriptions", min="21", max="20"))


@pytest.mark.parametrize(
    "text", ["22/11/2026", "23/11/2026", "1/1/2027", "01/01/2027", "29/02/2028", "31/12/9999"]
)
def test_an_expiry_is_a_day_that_has_not_passed(text: str) -> None:
    assert read(service("Subscriptions"), of("Subscriptions", expiry=text)).extras["expiry"] == text


@pytest.mark.parametrize(
    "text",
    [
        "21/11/2026", "1/1/2026", "29/02/2027", "31/04/2027", "0/1/2027", "1/0/2027", "13/13/2027", "12/31/2027",
        "1/1/27", "1/1/0000", "2027-01-01", "1.1.2027", "01/01/2027 ", "1/1/20270", "\u0661/1/2027", "tomorrow", "",
    ],
)  # fmt: skip
def test_anything_else_is_no_expiry(text: str) -> None:
    with pytest.raises(InvalidExpiry):
        read(service("Subscriptions"), of("Subscriptions", expiry=text))


@pytest.mark.parametrize(("traffic", "needed"), [("1", "google_keyword"), ("02", "referring_url")])
def test_the_type_of_traffic_says_what_else_is_needed(traffic: str, needed: str) -> None:
    parameters = of("Web Traffic", type_of_traffic=traffic)
    assert read(service("Web Traffic"), parameters).extras["type_of_traffic"] == traffic.lstrip("0")
    with pytest.raises(MissingParameter) as refused:
        read(service("Web Traffic"), {k: v for k, v in parameters.items() if k != needed})
    assert refused.value.details == {"parameter": needed}


@pytest.mark.parametrize("link", BAD_LINKS, ids=ascii)
def test_a_referring_url_must_be_an_http_url(link: str) -> None:
    with pytest.raises((InvalidUrl, NotOneLine)) as refused:
        read(service("Web Traffic"), of("Web Traffic", referring_url=link))
    assert refused.value.details == {"parameter": "referring_url"}


TEXTS = [
    ("Comment Likes", "username", 255), ("Mentions Hashtag", "hashtag", 255), ("Mentions Media Likers", "media", 1000),
    ("Web Traffic", "country", 255), ("Web Traffic", "google_keyword", 255), ("Subscriptions", "username", 255),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "name", "most"), TEXTS)
def test_a_text_is_one_line_and_has_a_most_of_characters(type_: str, name: str, most: int) -> None:
    for text in ("\U0001f600" * most, "007", "a\u200db", "'; DROP TABLE orders; --"):
        assert read(service(type_), of(type_, **{name: text})).extras[name] == text
    with pytest.raises(ParameterTooLong) as too_long:
        read(service(type_), of(type_, **{name: "x" * (most + 1)}))
    assert too_long.value.details == {"parameter": name, "most": most}
    for text in ("a\nb", "a\r\nb", "a\0b", "a\x7f", "a\x85b", "a\u2028b", "a\tb"):
        with pytest.raises(NotOneLine) as broken:
            read(service(type_), of(type_, **{name: text}))
        assert broken.value.details == {"parameter": name}


LISTS = [
    ("Custom Comments", "comments"), ("Custom Comments Package", "comments"), ("Mentions", "usernames"),
    ("Mentions with Hashtags", "hashtags"), ("Mentions Custom List", "usernames"), ("Comment Replies", "comments"),
    ("Invites from Groups", "groups"), ("SEO", "keywords"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "name"), LISTS)
def test_a_list_has_from_one_to_10_000_lines(type_: str, name: str) -> None:
    everything = service(type_, minimum=1, maximum=10**6)
    for count in (1, 10_000):
        text = "\r\n \n".join(["x"] * count)
        assert read(everything, of(type_, **{name: text})).extras[name] == "\n".join(["x"] * count)
    with pytest.raises(TooManyLines) as long:
        read(everything, of(type_, **{name: "x\n" * 10_001}))
    assert long.value.details == {"parameter": name, "most": 10_000}
    with pytest.raises(ParameterTooLong):
        read(everything, of(type_, **{name: "x" * 1_000_001}))
    for blank in (" ", "\n", "\r\n \t\r\n", "\u00a0"):
        with pytest.raises(MissingParameter) as empty:
            read(everything, of(type_, **{name: blank}))
        assert empty.value.details == {"parameter": name}


@for_all(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\0")), max_size=20))
def test_the_lines_of_a_list_are_those_that_are_not_blank(lines: list[str]) -> None:
    filled = [line.strip() for line in lines if line.strip()]
    try:
        wanted = read(service("Custom Comments", minimum=1), of("Custom Comments", comments="\n".join(lines)))
    except MissingParameter:
        assert filled == []
    else:
        assert wanted.quantity == len(filled)
        assert wanted.extras["comments"].split("\n") == filled


@for_all(
    st.sampled_from(sorted(EVERY)), st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=30))
)
def test_any_parameters_of_any_type_are_taken_or_refused_and_never_a_crash(
    type_: str, changes: dict[str, str]
) -> None:
    with suppress(Refusal):
        wanted = read(service(type_, dripfeed=True), {**EVERY[type_].said, **changes})
        assert 10 <= wanted.quantity <= 10_000
        assert not any("\0" in text for text in wanted.extras.values())


def test_the_first_fault_in_the_order_of_the_table_is_told() -> None:
    for parameters, refusal in (
        ({"link": "x" * 1001, "quantity": "x"}, LinkTooLong),
        ({"link": "x", "quantity": "x"}, InvalidLink),
        ({"link": LINK, "quantity": "x", "runs": "x"}, InvalidQuantity),
        ({"link": "x"}, MissingParameter),
    ):
        with pytest.raises(refusal):
            read(service(), parameters)


def test_a_fault_in_one_draft_is_its_own(conn: Conn, given: Given) -> None:
    customer, sold = given.customer("1"), given.service()
    drafts = [
        draft(customer, sold), draft(customer, ServiceId(0)), draft(customer, sold, link="ftp://x"), draft(customer, sold),
        draft(customer, sold, quantity="1e3"), draft(customer, sold, quantity=9), draft(customer, sold),
    ]  # fmt: skip
    answers = place(conn, drafts)
    assert [type(a) for a in answers] == [
        Placed, ServiceNotFound, InvalidLink, Placed, InvalidQuantity, QuantityOutOfRange, Placed,
    ]  # fmt: skip
    assert given.balance(customer) == 700_000


@pytest.mark.parametrize("service_id", [0, -1, 2**31 - 1, 2**31, 2**63 - 1])
def test_a_number_that_no_service_has_is_no_service_and_no_trouble_for_the_others(
    conn: Conn, given: Given, service_id: int
) -> None:
    customer, sold = given.customer("1"), given.service()
    answers = place(conn, [draft(customer, ServiceId(service_id)), draft(customer, sold)])
    assert [type(a) for a in answers] == [ServiceNotFound, Placed]


def test_a_service_of_a_type_that_nobody_knows_is_not_sold_and_no_trouble_for_the_others(
    conn: Conn, given: Given
) -> None:
    customer, sold, other = given.customer("1"), given.service(), given.service()
    conn.execute("UPDATE services SET type = 'Horoscopes' WHERE id = %s", [other])
    answers = place(conn, [draft(customer, other), draft(customer, sold)])
    assert [type(answer) for answer in answers] == [ServiceNotFound, Placed]


@for_all(
    st.dictionaries(st.sampled_from(["quantity", "runs", "link", "comments"]), st.text(max_size=5)),
    st.text(max_size=3),
)
def test_equal_fingerprints_mean_equal_orders(parameters: dict[str, str], text: str) -> None:
    one = Draft(caller=b"", service=ServiceId(1), request_id="r", parameters=parameters)  # type: ignore[arg-type]
    other = Draft(caller=b"x", service=ServiceId(1), request_id="s", parameters=parameters | {"link": text})  # type: ignore[arg-type]
    assert (fingerprint(one) == fingerprint(other)) == (
        parameters.get("link") == text.replace("\r\n", "\n")
    ) or ("\r\n" in parameters.get("link", ""))

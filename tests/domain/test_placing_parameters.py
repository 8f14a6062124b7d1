"""What a draft may say, and how it is told that it may not."""

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Given, draft
from panelry.database.pool import Conn
from panelry.domain.catalog import Service, ServiceId, ServiceNotFound
from panelry.domain.money import Micros
from panelry.domain.orders import (
    Draft,
    DripFeedUnavailable,
    InvalidCoupon,
    InvalidLink,
    InvalidQuantity,
    LinkTooLong,
    MissingParameter,
    NotPositiveInteger,
    Placed,
    QuantityOutOfRange,
    place,
    positive_integer,
)
from panelry.domain.orders.rules import fingerprint, read
from panelry.domain.refusals import Refusal

LINK = "https://example.com/post"
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


def service(minimum: int = 10, maximum: int = 10_000, *, dripfeed: bool = False) -> Service:
    return Service(
        id=ServiceId(1), type="Default", rate_micros=Micros(1), rate_per=1000, minimum=minimum, maximum=maximum,
        dripfeed=dripfeed, routes=(),
    )  # fmt: skip


def said(**changes: str) -> dict[str, str]:
    return {"link": LINK, "quantity": "100"} | changes


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
        assert number == (int(text) if int(text) < 10**18 else 2**63 - 1)


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
    with pytest.raises(DripFeedUnavailable):
        read(service(), said(runs="2", interval="5"))
    assert read(service(), said(interval="5")).quantity == 100


def test_runs_are_never_taken_and_then_forgotten() -> None:
    with pytest.raises(DripFeedUnavailable):
        read(service(dripfeed=True), said(runs="5", interval="60"))


def test_a_coupon_is_refused_while_there_are_none() -> None:
    with pytest.raises(InvalidCoupon):
        read(service(), said(coupon="SPRING"))


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


def test_a_service_of_a_type_that_is_not_sold_yet_is_refused_and_no_trouble_for_the_others(
    conn: Conn, given: Given
) -> None:
    customer, sold, other = given.customer("1"), given.service(), given.service()
    conn.execute("UPDATE services SET type = 'Poll' WHERE id = %s", [other])
    answers = place(conn, [draft(customer, other), draft(customer, sold)])
    assert isinstance(answers[0], Refusal)
    assert isinstance(answers[1], Placed)


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

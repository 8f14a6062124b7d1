"""The page about webhooks: its bodies are what is sent, its receivers take what is genuine and nothing else."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import contract
import pytest
from documented import RECEIVERS, receiving
from standardwebhooks import Webhook

from domain.endpoints import bodies
from given import LEASE, VAULT, Customer, Given
from panelry import clock
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, ledger, money, orders, refills, webhooks
from panelry.domain.providers import (
    ProviderId,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Rejected,
    Rejection,
    Report,
    UpstreamState,
)
from panelry.domain.refills import RefillId, Wanted
from panelry.domain.webhooks import EVENTS, Claimed, WebhookId
from panelry.web.site.developers import events
from panelry.web.site.developers.texts import text

EXAMPLES: dict[str, dict[str, Any]] = {name: body for name, (_, body) in events.EVENTS.items()}
VECTOR = re.compile(
    r"secret `(whsec_[^`]+)` and the timestamp `(\d+)` this body\n\n```json\n(.*)\n```\n\nhas the signature `(.*)`"
)
SKEW = timedelta(minutes=6)


@pytest.fixture(scope="module")
def pool(module_pool: Pool) -> Pool:
    """Work where nobody else has endpoints."""
    return module_pool


@pytest.fixture
def story(conn: Conn, given: Given) -> list[dict[str, Any]]:
    """Let happen all that can be told, and return the bodies."""
    provider, customer = given.provider(), given.customer("20")
    hook, service = given.webhook(customer).id, given.service(provider)
    ledger.set_low_balance(conn, customer.account, money.parse("19"))
    given.ended(customer, service, UpstreamState.PARTIAL, remains=40)
    given.placed(customer, service)
    report = Report(state=UpstreamState.IN_PROGRESS, word="In progress", start_count=7, remains=50)
    orders.apply_reports(conn, {given.accepted(provider): report})
    given.placed(customer, service)
    [attempt] = given.attempts(provider)
    given.answered(attempt, Rejected(reason=Rejection.LINK, text="Bad link"))
    waiting = given.placed(customer, service, 500)
    orders.cancel(conn, [(customer.account, waiting)], actor="customer")
    done = given.ended(customer, service)
    _refill(conn, customer, done, provider, granted=True)
    _refill(conn, customer, done, provider, granted=False)
    given.placed(customer, service, 3000)
    webhooks.test(conn, customer.account, hook, actor="customer")
    return bodies(conn, hook)


def _refill(
    conn: Conn, customer: Customer, order: orders.OrderId, provider: ProviderId, *, granted: bool
) -> None:
    wish = Wanted(id=RefillId(ids.new()), account_id=customer.account, order_id=order)
    assert refills.request(conn, [wish], actor="customer") == [wish.id]
    [asked] = refills.claim(conn, provider, most=10, lease=LEASE)
    if granted:
        refills.record(conn, {asked: RefillTaken(upstream_id="7")})
        Given(conn).later("1 minute")
        [again] = refills.claim(conn, provider, most=10, lease=LEASE)
        refills.record(conn, {again: RefillReport(state=RefillState.COMPLETED, word="Completed")})
    else:
        refills.record(conn, {asked: RefillRefused(text="no")})


def test_the_page_shows_each_event_once_and_each_is_as_the_contract_says() -> None:
    assert [body["type"] for body in EXAMPLES.values()] == list(EXAMPLES) == list(EVENTS)
    for body in EXAMPLES.values():
        contract.validate("Event", body)


def test_all_that_can_be_told_is_as_the_page_and_the_contract_say(story: list[dict[str, Any]]) -> None:
    assert {body["type"] for body in story} == set(EVENTS)
    for body in story:
        contract.validate("Event", body)
        example = EXAMPLES[body["type"]]
        assert [*body, *body["data"]] == [*example, *example["data"]]


def test_the_contract_knows_the_events_that_there_are() -> None:
    assert contract.DOCUMENT["components"]["schemas"]["EventType"]["enum"] == list(EVENTS)


def test_the_example_of_a_signature_is_right() -> None:
    found = VECTOR.search(text("webhooks", "en").body)
    assert found
    secret, timestamp, body, signature = found.groups()
    at = datetime.fromtimestamp(int(timestamp), UTC)
    headers = webhooks.signed_headers(json.loads(body)["id"], body.encode(), secrets=[secret], at=at)
    assert (headers["webhook-timestamp"], headers["webhook-signature"]) == (timestamp, signature)
    assert Webhook(secret).sign(headers["webhook-id"], at, body) == signature


@dataclass(frozen=True, slots=True)
class Signed:
    """A delivery as it goes out."""

    body: bytes
    headers: dict[str, str]


def signed(
    claimed: Claimed, *, late: timedelta = timedelta(), secrets: tuple[str, ...] | None = None
) -> Signed:
    body = webhooks.body(claimed.told, currency="USD")
    shown = ids.show(ids.EVENT, claimed.told.event_id)
    at = clock.now() - late
    return Signed(body, webhooks.signed_headers(shown, body, secrets=secrets or claimed.secrets, at=at))


def claimed_for(conn: Conn, hook: WebhookId) -> list[Claimed]:
    found = webhooks.claim(conn, VAULT, most=1000, doubtful=1000, lease=LEASE)
    return sorted((one for one in found if one.webhook_id == hook), key=lambda one: one.told.sequence)


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_takes_what_is_genuine_once_and_in_order_and_nothing_else(
    conn: Conn, given: Given, folder: Path, name: str
) -> None:
    provider, customer = given.provider(), given.customer("10")
    hook = given.webhook(customer)
    order = given.placed(customer, given.service(provider))
    given.attempts(provider)
    created, processing = claimed_for(conn, hook.id)
    first, second = signed(created), signed(processing)
    wrong = "whsec_" + "A" * 43 + "="
    unsigned = {name: value for name, value in first.headers.items() if name != "webhook-signature"}
    with receiving(name, folder, hook.secret) as receiver:
        hostile = [
            Signed(first.body.replace(b'"0.10"', b'"9.10"'), first.headers),
            Signed(first.body, {**first.headers, "webhook-id": second.headers["webhook-id"]}),
            Signed(first.body, {**first.headers, "webhook-signature": "v1,"}),
            Signed(first.body, {**first.headers, "webhook-signature": "v2" + first.headers["webhook-signature"][2:]}),
            Signed(first.body, {**first.headers, "webhook-timestamp": "now"}),
            Signed(first.body, unsigned),
            Signed(first.body, {}),
            signed(created, late=SKEW),
            signed(created, late=-SKEW),
            signed(created, secrets=(wrong,)),
        ]  # fmt: skip
        assert [receiver.post(sent.body, sent.headers) for sent in hostile] == [400] * len(hostile)
        assert [receiver.post(sent.body, sent.headers) for sent in (second, first, second)] == [204] * 3
        assert receiver.took() == [f"{ids.show(ids.ORDER, order)} processing 0.10"]


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_goes_on_with_either_secret_for_a_day_after_a_rotation(
    conn: Conn, given: Given, folder: Path, name: str
) -> None:
    customer = given.customer()
    hook = given.webhook(customer)
    new = webhooks.rotate_secret(conn, VAULT, customer.account, hook.id)
    webhooks.test(conn, customer.account, hook.id, actor="customer")
    [within] = claimed_for(conn, hook.id)
    given.later("24 hours 1 second")
    webhooks.test(conn, customer.account, hook.id, actor="customer")
    [_, after] = claimed_for(conn, hook.id)
    takes = {}
    for secret in (hook.secret, new):
        with receiving(name, folder, secret) as receiver:
            takes[secret] = [receiver.post(s.body, s.headers) for s in map(signed, (within, after))]
    assert takes == {hook.secret: [204, 400], new: [204, 204]}

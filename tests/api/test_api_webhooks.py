"""`webhook.add`, `webhook.list`, `webhook.remove` and `webhook.test`."""

import base64
import json
from typing import Any

import contract
import pytest
from books import Stored
from doors import JSON, Door
from outages import Losing

from given import VAULT, Customer
from panelry.database.pool import Pool
from panelry.domain import accounts, ids, webhooks
from panelry.domain.webhooks import EVENTS, Reason, WebhookId

URL = "https://93.184.216.34/hooks"  # a name would be looked up


def sent(name: str, customer: Customer, **more: str) -> dict[str, str]:
    """Return the fields of a good request; the contract must think so, too."""
    action = {"Add": "add", "List": "list", "Remove": "remove", "Test": "test"}[name]
    fields = {"key": customer.key, "action": f"webhook.{action}", **more}
    contract.validate(f"Webhook{name}Request", fields)
    contract.validate("Request", fields)
    return fields


def add(door: Door, customer: Customer, **more: str) -> dict[str, Any]:
    reply = door.post(sent("Add", customer, url=URL, **more))
    assert reply.status == 200, reply.value
    contract.validate("WebhookAdded", reply.value)
    added: dict[str, Any] = reply.value
    return added


def listed(door: Door, customer: Customer) -> list[dict[str, Any]]:
    rows = door.post(sent("List", customer)).value
    contract.validate("Webhooks", rows)
    found: list[dict[str, Any]] = rows
    return found


def webhook_id(shown: str) -> WebhookId:
    id_ = ids.parse(ids.WEBHOOK, shown)
    assert id_ is not None
    return WebhookId(id_)


def test_an_endpoint_is_answered_with_its_secret_this_once(door: Door, customer: Customer) -> None:
    added = add(door, customer)
    assert (added["url"], added["events"]) == (URL, list(EVENTS))
    assert len(base64.b64decode(added["secret"].removeprefix("whsec_"))) == 32
    [row] = listed(door, customer)
    assert {name: row[name] for name in ("webhook", "url", "events", "state", "reason")} == {
        "webhook": added["webhook"],
        "url": URL,
        "events": list(EVENTS),
        "state": "active",
        "reason": "",
    }
    assert (row["last_result"], row["last_attempt"], row["last_success"]) == ("", None, None)
    assert added["secret"] not in json.dumps(listed(door, customer))


@pytest.mark.parametrize(
    "body",
    [
        {"events": "order.completed, order.created,,order.created"},
        [("events[]", "order.completed"), ("events[]", "order.created")],
        [("events[0]", "order.created"), ("events[1]", "order.completed")],
    ],
    ids=str,
)
def test_events_are_a_list_like_any_other(door: Door, customer: Customer, body: Any) -> None:
    pairs = [*(body.items() if isinstance(body, dict) else body)]
    reply = door.post([("key", customer.key), ("action", "webhook.add"), ("url", URL), *pairs])
    assert reply.value["events"] == ["order.created", "order.completed"]


def test_a_json_body_does_as_well(door: Door, customer: Customer) -> None:
    fields = {"key": customer.key, "action": "webhook.add", "url": URL, "events": "balance.low"}
    assert door.send(json.dumps(fields).encode(), JSON).value["events"] == ["balance.low"]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "Missing required parameter: url"),
        ("hooks.example.com", "Invalid URL"),
        ("ftp://hooks.example.com/", "Invalid URL"),
        ("https://", "Invalid URL"),
        ("https://user:secret@hooks.example.com/", "Invalid URL"),
        ("https://hooks.example.com/" + "x" * 475, "Invalid URL"),
        ("https://hooks.example.com:8443/", "Invalid URL"),
        ("https://93.184.216.34:0/", "Invalid URL"),
        ("http://hooks.example.com/", "URL must use https"),
        ("http://127.0.0.1/", "URL must use https"),
        ("https://127.0.0.1/", "URL must be publicly reachable"),
        ("https://localhost/", "URL must be publicly reachable"),
        ("https://[::1]/", "URL must be publicly reachable"),
        ("https://169.254.169.254/latest/meta-data", "URL must be publicly reachable"),
        ("https://2130706433/", "URL must be publicly reachable"),
    ],
)
def test_urls_that_are_no_endpoint(door: Door, customer: Customer, url: str, text: str) -> None:
    assert door.post(key=customer.key, action="webhook.add", url=url).error == (400, text)
    assert listed(door, customer) == []


def test_a_url_may_have_500_characters(door: Door, customer: Customer) -> None:
    longest = URL + "/" + "x" * (499 - len(URL))
    assert len(longest) == 500
    assert add(door, customer)["webhook"]
    assert door.post(sent("Add", customer, url=longest)).value["url"] == longest
    assert door.post(key=customer.key, action="webhook.add", url=longest + "x").error == (400, "Invalid URL")


@pytest.mark.parametrize("name", ["order.pending", "run.created", "*", "Order.Created"])
def test_an_unknown_event_is_named(door: Door, customer: Customer, name: str) -> None:
    reply = door.post(key=customer.key, action="webhook.add", url=URL, events=f"order.created,{name}")
    assert reply.error == (400, f"Unknown event: {name}")
    assert listed(door, customer) == []


def test_the_sixth_endpoint_of_a_key_is_refused_and_another_key_has_its_own(
    door: Door, stored: Stored, customer: Customer
) -> None:
    five = [add(door, customer)["webhook"] for _ in range(5)]
    refused = (400, "Maximum 5 webhooks per API key")
    assert door.post(key=customer.key, action="webhook.add", url=URL).error == refused
    with stored() as given:
        key = accounts.create_key(given.conn, customer.account).key
    assert door.post(key=key, action="webhook.add", url=URL).status == 200
    assert len(door.post(key=key, action="webhook.list").value) == 6
    assert door.post(key=key, action="webhook.remove", webhook=five[0]).value == {"removed": five[0]}
    add(door, customer)


def test_a_removed_endpoint_is_not_listed_and_removing_it_again_answers_the_same(
    door: Door, customer: Customer
) -> None:
    gone, kept = add(door, customer)["webhook"], add(door, customer)["webhook"]
    for _ in range(2):
        reply = door.post(sent("Remove", customer, webhook=gone))
        contract.validate("WebhookRemoved", reply.value)
        assert reply.value == {"removed": gone}
    assert [row["webhook"] for row in listed(door, customer)] == [kept]
    assert door.post(sent("Test", customer, webhook=gone)).error == (400, "Webhook not found")


def test_a_test_is_due_at_once_for_that_endpoint_alone(door: Door, pool: Pool, customer: Customer) -> None:
    hook, other = add(door, customer, events="order.created"), add(door, customer)
    reply = door.post(sent("Test", customer, webhook=hook["webhook"]))
    contract.validate("WebhookTested", reply.value)
    assert reply.value["webhook"] == hook["webhook"]
    query = "SELECT webhook_id, event_id, state, due_at <= clock_now() FROM deliveries WHERE webhook_id = ANY (%s)"
    both = [webhook_id(hook["webhook"]), webhook_id(other["webhook"])]
    with pool.transaction() as conn:
        rows = conn.execute(query, [both]).fetchall()
    assert rows == [(both[0], ids.parse(ids.EVENT, reply.value["event"]), "waiting", True)]


def test_a_disabled_endpoint_is_listed_with_the_reason_and_not_tested(
    door: Door, pool: Pool, customer: Customer
) -> None:
    hook = add(door, customer)["webhook"]
    with pool.transaction() as conn:
        webhooks.disable(conn, [webhook_id(hook)], reason=Reason.GONE)
    [row] = listed(door, customer)
    assert (row["state"], row["reason"]) == ("disabled", "gone")
    assert door.post(sent("Test", customer, webhook=hook)).error == (400, "Webhook is disabled")


@pytest.mark.parametrize("action", ["webhook.remove", "webhook.test"])
@pytest.mark.parametrize("webhook", ["whk_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "ord_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "x"])
def test_unknown_endpoints(door: Door, customer: Customer, action: str, webhook: str) -> None:
    assert door.post(key=customer.key, action=action, webhook=webhook).error == (400, "Webhook not found")
    missing = (400, "Missing required parameter: webhook")
    assert door.post(key=customer.key, action=action, webhook="").error == missing


def test_anothers_endpoint_is_unknown(door: Door, stored: Stored, customer: Customer) -> None:
    hook = add(door, customer)["webhook"]
    with stored() as given:
        stranger = given.customer()
    for action in ("webhook.remove", "webhook.test"):
        assert door.post(key=stranger.key, action=action, webhook=hook).error == (400, "Webhook not found")
    assert listed(door, stranger) == []
    assert [row["webhook"] for row in listed(door, customer)] == [hook]


def test_an_answer_lost_after_the_commit_leaves_one_endpoint_whose_secret_is_the_one_shown(
    door: Door, pool: Pool, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing = Losing(door.api._calls._pool)
    monkeypatch.setattr(door.api._calls, "_pool", losing)
    hook = add(door, customer)
    assert losing.commits == 4, "the key's and the endpoint's, each twice"
    [row] = listed(door, customer)
    assert row["webhook"] == hook["webhook"]
    with pool.transaction() as conn:
        query = "SELECT sealed_secret FROM webhooks WHERE id = %s"
        [[sealed]] = conn.execute(query, [webhook_id(hook["webhook"])]).fetchall()
    assert VAULT.open(sealed, purpose=f"webhook {webhook_id(hook['webhook'])}") == hook["secret"]


def test_a_revoked_key_and_a_suspended_account_do_nothing(
    door: Door, stored: Stored, customer: Customer
) -> None:
    with stored() as given:
        accounts.suspend(given.conn, customer.account)
    for fields in (sent("Add", customer, url=URL), sent("List", customer)):
        assert door.post(fields).error == (403, "Account suspended")
        assert door.post(fields | {"key": customer.key[:-1]}).error == (400, "Invalid API key")

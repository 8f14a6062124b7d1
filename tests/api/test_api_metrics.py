"""/metrics, read as Prometheus reads it: what it tells, to whom, and that the documents say the same."""

import http.client
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from books import Stored
from doors import Server, serving
from outages import closed
from prometheus_client.parser import text_string_to_metric_families

import minutes
from panelry import peers
from panelry.domain import letters
from panelry.domain.letters import Letter
from panelry.domain.providers import Unknown
from panelry.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "operators" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(panelry_[a-z_]+)` \|([^|]*)\| ([^|]+) \|$", re.MULTILINE)
COUNTED = {"panelry_api_requests", "panelry_api_request_seconds", "panelry_api_set_size"}
Labels = frozenset[tuple[str, str]]


def scrape(server: Server, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(
            "GET", "/metrics", headers={name.replace("_", "-"): v for name, v in headers.items()}
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status == 200:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return answer.status, text
    finally:
        connection.close()


def samples(server: Server) -> Mapping[str, Mapping[Labels, float]]:
    """Return the values by name and labels."""
    status, text = scrape(server)
    assert status == 200
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def labels(**values: str) -> Labels:
    return frozenset(values.items())


@pytest.fixture
def fresh(settings: Settings, fresh_database: str) -> Settings:
    return replace(settings, database_url=fresh_database)


@pytest.fixture
def metered(fresh: Settings) -> Iterator[Server]:
    with serving(replace(fresh, ip_per_minute=7)) as server:
        yield server


def test_requests_are_counted_by_action_and_how_they_ended(
    metered: Server, fresh: Settings, fresh_stored: Stored
) -> None:
    with fresh_stored() as given:
        customer, service = given.customer("10"), given.service()
    minutes.with_left(20)  # the last but one request takes 5 s
    order = {
        "key": customer.key, "action": "add", "service": str(service), "link": "https://example.com/", "quantity": "100",
    }  # fmt: skip
    assert metered.post(order, request_id="1").status == 200
    assert metered.post(order).status == 400
    assert metered.post(key=customer.key, action="balance").status == 200
    for action in ("nonsense", customer.key, "Balance"):
        assert metered.post(key=customer.key, action=action).status == 400
    assert fresh.database_url
    with closed(fresh.database_url):
        assert metered.post(key=customer.key, action="status", order="x").status == 503
    assert metered.post(order).status == 429
    found = samples(metered)
    assert found["panelry_api_requests_total"] == {
        labels(action="add", outcome="ok"): 1,
        labels(action="add", outcome="refused"): 1,
        labels(action="balance", outcome="ok"): 1,
        labels(action="other", outcome="refused"): 3,
        labels(action="status", outcome="failed"): 1,
        labels(action="other", outcome="limited"): 1,
    }
    assert found["panelry_api_request_seconds_count"][labels(action="add")] == 2
    assert found["panelry_api_set_size_count"][labels(call="place")] == 1
    assert found["panelry_limits_alone"] == {labels(): 0}
    assert found["process_resident_memory_bytes"][labels()] > 0
    assert customer.key[4:] not in scrape(metered)[1]


def test_the_state_of_the_panel_is_read_from_the_database(metered: Server, fresh_stored: Stored) -> None:
    with fresh_stored() as given:
        customer, provider = given.customer("10"), given.provider()
        service = given.service(provider)
        given.placed(customer, service)
        [attempt] = given.attempts(provider)
        given.answered(attempt, Unknown(text="timeout"))
        given.placed(customer, service)
        letters.write(given.conn, Letter(recipient="a@example.com", template="tier", data={}, reference=None))
        given.conn.execute("UPDATE letters SET due_at = clock_now() - interval '90 seconds'")
        given.conn.execute(
            "UPDATE orders SET due_at = clock_now() - interval '5 minutes' WHERE state = 'pending'"
        )
        given.conn.execute("UPDATE panel SET engine_seen_at = clock_now() - interval '1 hour'")
        [[name]] = given.conn.execute("SELECT name FROM providers").fetchall()
    found = samples(metered)
    assert found["panelry_database_up"] == {labels(): 1}
    assert 3600 <= found["panelry_engine_age_seconds"][labels()] < 3700
    overdue = {dict(key)["work"]: value for key, value in found["panelry_overdue_seconds"].items()}
    assert overdue.keys() == {"submissions", "orders", "refills", "cancels", "deliveries", "letters"}
    assert 300 <= overdue["orders"] < 400
    assert 90 <= overdue["letters"] < 190
    assert overdue["refills"] == overdue["deliveries"] == overdue["cancels"] == 0
    assert found["panelry_submissions"] == {labels(state="unknown"): 1, labels(state="quarantined"): 0}
    assert found["panelry_provider_active"] == {labels(provider=name): 1}
    assert found["panelry_provider_broken"] == {labels(provider=name): 0}
    assert "panelry_provider_balance" not in found, "nobody has asked for it yet"
    assert found["panelry_letters_waiting"] == {labels(): 1}
    assert found["panelry_deliveries_waiting"] == {labels(): 0}
    assert "provider key" not in scrape(metered)[1]


def test_orders_that_wait_for_a_paused_provider_are_not_overdue(
    metered: Server, fresh_stored: Stored
) -> None:
    with fresh_stored() as given:
        given.placed(given.customer("10"), given.service())
        given.conn.execute("UPDATE orders SET due_at = clock_now() - interval '5 minutes'")
        given.conn.execute("UPDATE providers SET state = 'paused', balance_micros = 12500000")
    found = samples(metered)
    assert found["panelry_overdue_seconds"][labels(work="orders")] == 0
    assert list(found["panelry_provider_active"].values()) == [0]
    assert list(found["panelry_provider_balance"].values()) == [12.5]


def test_without_a_database_the_rest_is_told(settings: Settings) -> None:
    nowhere = replace(settings, database_url="host=/nowhere dbname=panelry")
    with serving(nowhere) as server:
        found = samples(server)
    assert found["panelry_database_up"] == {labels(): 0}
    assert "panelry_overdue_seconds" not in found
    assert "panelry_limits_alone" in found


def test_the_database_is_asked_every_five_seconds_at_most(metered: Server, fresh_stored: Stored) -> None:
    assert samples(metered)["panelry_letters_waiting"] == {labels(): 0}
    with fresh_stored() as given:
        letters.write(given.conn, Letter(recipient="a@example.com", template="tier", data={}, reference=None))
    assert samples(metered)["panelry_letters_waiting"] == {labels(): 0}


def test_the_documents_name_every_metric_as_the_server_describes_it(
    metered: Server, fresh_stored: Stored
) -> None:
    with fresh_stored() as given:
        given.provider()
        given.conn.execute("UPDATE panel SET engine_seen_at = clock_now()")
        given.conn.execute("UPDATE providers SET balance_micros = 1")
    metered.post(action="balance")
    _, text = scrape(metered)
    families = list(text_string_to_metric_families(text))
    told = {
        family.name: (family.documentation, {name for sample in family.samples for name in sample.labels})
        for family in families
        if not family.name.startswith("process_") and not family.name.endswith("_created")
    }
    documented = {
        name.removesuffix("_total"): (text, set(re.findall(r"`([a-z]+)`", names)))
        for name, names, text in ROW.findall(DOCUMENT)
    }
    told = {name: (text, names - {"le"}) for name, (text, names) in told.items()}
    assert documented.keys() == told.keys()
    for name, (text, names) in documented.items():
        assert told[name][0] == text
        # What was never counted has no samples, and so no labels.
        assert told[name][1] <= names
        assert name in COUNTED or told[name][1] == names


def test_only_those_who_may_read_it_know_of_it(fresh: Settings) -> None:
    with serving(fresh) as server:
        assert scrape(server)[0] == 200
        for header in ("X_Forwarded_For", "Forwarded", "Via"):
            status, text = scrape(server, **{header: "127.0.0.1"})
            assert (status, text) == (404, '{"error":"Not found"}')
    proxied = replace(fresh, trusted_proxies=peers.parse("127.0.0.1"))
    with serving(proxied) as server:
        assert scrape(server)[0] == 200
        assert scrape(server, X_Forwarded_For="127.0.0.1")[0] == 200
        assert scrape(server, X_Forwarded_For="203.0.113.9")[0] == 404
        assert scrape(server, X_Forwarded_For="127.0.0.1, 203.0.113.9")[0] == 404
    with serving(replace(proxied, metrics_allow=peers.parse("203.0.113.0/24"))) as server:
        assert scrape(server)[0] == 404
        assert scrape(server, X_Forwarded_For="203.0.113.9")[0] == 200
        assert scrape(server, X_Forwarded_For="203.0.113.9, 198.51.100.1")[0] == 404

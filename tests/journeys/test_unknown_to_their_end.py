"""Orders whose answers were lost end right: found where they can be nobody else's, else by a person, else by time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

INSTANT, HANGS, RESETS, BAD_GATEWAY = "1", "6", "7", "8"


@contextmanager
def stage(**settings: str) -> Iterator[tuple[Panel, Upstream, str, dict[str, int]]]:
    """Run a panel and a provider that took its first order; yield a customer's key and our services, too."""
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl", speed=20))
        seller = stack.enter_context(panel(folder / "data", settings={**QUICK, **settings}))
        seller.provider("Sandbox", sandbox.url)
        ours = seller.services("Sandbox", f"{INSTANT},{HANGS},{RESETS},{BAD_GATEWAY}")
        key = seller.customer(credit="100")
        _until(seller, key, [seller.add(key, ours[INSTANT], "first")], "completed")
        yield seller, sandbox, key, ours


def _until(seller: Panel, key: str, orders: list[str], status: str) -> None:
    until(lambda: {row["status"] for row in seller.status(key, orders).values()} == {status})


def _true_id(sandbox: Upstream, link: str) -> str:
    [line] = [line for line in sandbox.lines() if line.get("link") == link]
    return str(line["order"])


def _submission(seller: Panel, order: str) -> dict[str, Any]:
    return dict(seller.cli("order", "show", order)["submissions"][-1])


def test_what_was_lost_alone_is_found_and_delivered() -> None:
    with stage() as (seller, sandbox, key, ours):
        for service in (RESETS, HANGS):
            link = f"https://example.com/alone-{service}"
            order = seller.add(key, ours[service], f"alone-{service}")
            _until(seller, key, [order], "completed")
            shown = _submission(seller, order)
            assert (shown["state"], shown["upstream_id"]) == ("accepted", _true_id(sandbox, link))
            assert "it is the only one that can be ours" in shown["evidence"][-1]["note"]
        assert seller.cli("submissions")["submissions"] == []
        assert len(sandbox.lines()) == 3
        assert seller.cli("ledger", "verify")["wrong"] == []


def test_what_was_lost_together_is_settled_by_a_person_with_the_evidence() -> None:
    with stage() as (seller, sandbox, key, ours):
        orders = {service: seller.add(key, ours[service], f"both-{service}") for service in (RESETS, HANGS)}
        until(lambda: len(seller.cli("submissions")["submissions"]) == 2)
        seller.later("20 minutes")
        quarantined = partial(seller.cli, "submissions", "--state", "quarantined")
        until(lambda: len(quarantined()["submissions"]) == 2)
        rows = {row["order"]: row for row in quarantined()["submissions"]}
        assert rows.keys() == set(orders.values())
        for service, other in ((RESETS, HANGS), (HANGS, RESETS)):
            row = rows[orders[service]]
            evidence = "\n".join(note["note"] for note in row["evidence"])
            true_ids = {s: _true_id(sandbox, f"https://example.com/both-{s}") for s in orders}
            assert all(f"{id_} (" in evidence for id_ in true_ids.values())
            assert rows[orders[other]]["id"] in evidence
            assert row["link"] == f"https://example.com/both-{service}"
            command = ["submission", "settle", row["id"], "--accepted"]
            settled = seller.cli(*command, true_ids[service])
            assert (settled["id"], settled["order"], settled["state"]) == (
                row["id"],
                row["order"],
                "accepted",
            )
            assert settled.keys() == row.keys()
            again = seller.run(*command, true_ids[other])
            assert again.code == 1
            assert "the outcome of this submission is known" in again.err
        _until(seller, key, list(orders.values()), "completed")
        assert len(sandbox.lines()) == 3
        assert seller.cli("ledger", "verify")["wrong"] == []


def test_a_customer_who_has_waited_long_enough_is_paid_back_and_the_house_knows_what_it_may_lose() -> None:
    with stage(PANELRY_UNKNOWN_REFUND_HOURS="0.002") as (seller, _, key, ours):
        order = seller.add(key, ours[BAD_GATEWAY], "lost")
        _until(seller, key, [order], "refunded")
        assert seller.call(key, "balance")[1]["balance"] == "99.00"
        books = seller.cli("ledger", "verify")
        assert (books["wrong"], [(row["order"], row["amount"]) for row in books["suspense"]]) == (
            [], [(order, "-1.00")],
        )  # fmt: skip
        [row] = seller.cli("submissions", "--state", "quarantined")["submissions"]
        assert "the customer was paid back" in row["evidence"][-1]["note"]
        assert seller.run("submission", "settle", row["id"], "--resend", "--refund").code == 2
        for refused, reason in (
            ([row["id"], "--resend"], "the customer was paid back already"),
            (["sub_0", "--refund"], "is not a submission id"),
        ):
            result = seller.run("submission", "settle", *refused)
            assert result.code == 1
            assert reason in result.err
        assert seller.cli("submission", "settle", row["id"], "--refund")["state"] == "rejected"
        books = seller.cli("ledger", "verify")
        assert (books["wrong"], books["suspense"]) == ([], [])
        assert seller.call(key, "balance")[1]["balance"] == "99.00"

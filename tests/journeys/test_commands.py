"""The command line: the same answers whether a panel runs on the data directory or not, and no half-done refusals."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from panels import Panel, clear_away, panel, until

import servers
from connectors import sandboxes

CUSTOMER = "customer@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A panel with one customer and one provider, running."""

    panel: Panel
    url: str
    services: dict[str, int]
    key: str
    order: str


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl"))
        one = stack.enter_context(panel(folder / "data"))
        key = one.customer(CUSTOMER, credit="100")
        one.provider("Sandbox", sandbox.url)
        services = one.services("Sandbox", "1,2")
        order = one.add(key, services["1"], "first")
        yield Stage(panel=one, url=sandbox.url, services=services, key=key, order=order)


def _balance(stage: Stage) -> str:
    with stage.panel.connect() as conn:
        [micros] = conn.execute("SELECT sum(balance_micros) FROM wallets").fetchall()[0]
    return str(micros)


def _every_command(order: str, folder: Path) -> list[tuple[str, ...]]:
    email, code = f"{uuid4().hex}@example.com", f"five-{uuid4().hex}"
    return [
        ("migrate",),
        ("account", "create", email, "--password", "long enough for us", "--staff", "--tier", "Agency"),
        ("account", "credit", email, "12.5", "--reason", "an advance", "--reference", "advance 1"),
        ("account", "suspend", email),
        ("account", "resume", email),
        ("account", "tier", email, "Reseller"),
        ("account", "set", email, "--low-balance", "2.50"),
        ("account", "set", email, "--low-balance", "off"),
        ("webhook", "list", email),
        ("webhook", "add", email, "http://127.0.0.1:9/hook", "--events", "order.completed, balance.low"),
        ("webhook", "list", email),
        ("key", "create", email, "--label", "shop", "--per-minute", "60"),
        ("key", "list", email),
        ("tier", "list"),
        ("tier", "set", "Agency", "--per-minute", "5000", "--threshold", "10000", "--discount", "0.00"),
        ("provider", "list"),
        ("provider", "test", "Sandbox"),
        ("catalog", "import", "Sandbox", "--services", "3", "--markup", "12.5"),
        ("catalog", "sync"),
        ("catalog", "sync", "Sandbox"),
        ("catalog", "list"),
        ("catalog", "moves"),
        ("catalog", "updates", "--most", "3"),
        ("service", "show", "1"),
        ("service", "set", "1", "refill_days=7", "markup=5"),
        ("route", "set", "1", "--priority", "50", "--state", "on"),
        ("coupon", "create", f"ten-{uuid4().hex}", "--percent", "10", "--limit", "5", "--per-user", "1"),
        (
            "coupon",
            "create",
            code,
            "--fixed",
            "5",
            "--minimum",
            "20",
            "--services",
            "1,2",
            "--categories",
            "Sandbox: behaviours",
            "--starts",
            "2026-12-01",
            "--ends",
            "2027-01-01T12:00:00",
        ),
        ("coupon", "list"),
        ("coupon", "off", code),
        ("order", "show", order),
        ("submissions",),
        ("submissions", "--state", "accepted"),
        ("ledger", "verify"),
    ]


def _answers_once(panel: Panel, arguments: tuple[str, ...]) -> None:
    result = panel.run(*arguments, "--json")
    assert result.code == 0, (arguments, result)
    assert isinstance(json.loads(result.out), dict), arguments
    assert result.err == "", arguments


def test_every_command_answers_one_document_while_the_panel_runs(stage: Stage, folder: Path) -> None:
    for arguments in _every_command(stage.order, folder):
        _answers_once(stage.panel, arguments)


def test_every_command_has_words_for_people(stage: Stage, folder: Path) -> None:
    for arguments in _every_command(stage.order, folder):
        result = stage.panel.run(*arguments)
        assert (result.code, bool(result.out.strip())) == (0, True), (arguments, result)


def test_the_same_reference_credits_once(stage: Stage) -> None:
    credit = ("account", "credit", CUSTOMER, "5", "--reason", "bank transfer", "--reference", "transfer 77")
    assert stage.panel.cli(*credit) == stage.panel.cli(*credit)


def test_a_key_is_shown_once_and_works_until_it_is_revoked(stage: Stage) -> None:
    made = stage.panel.cli("key", "create", CUSTOMER)
    assert made["key"].startswith(made["prefix"])
    assert stage.panel.call(made["key"], "balance")[0] == 200
    assert stage.panel.cli("key", "revoke", made["prefix"]) == {}
    assert stage.panel.call(made["key"], "balance") == (400, {"error": "Invalid API key"})


def test_a_rotated_key_is_shown_once_and_keeps_its_label_and_limit(stage: Stage) -> None:
    made = stage.panel.cli("key", "create", CUSTOMER, "--label", "shop", "--per-minute", "60")
    changed = stage.panel.cli("key", "set", made["prefix"], "--label", "shop 2")
    assert (changed["label"], changed["per_minute"]) == ("shop 2", 60)
    assert stage.panel.cli("key", "set", made["prefix"], "--per-minute", "none")["per_minute"] is None
    rotated = stage.panel.cli("key", "rotate", made["prefix"])
    assert stage.panel.call(made["key"], "balance") == (400, {"error": "Invalid API key"})
    assert stage.panel.call(rotated["key"], "balance")[0] == 200
    [listed] = [
        k for k in stage.panel.cli("key", "list", CUSTOMER)["keys"] if k["prefix"] == rotated["prefix"]
    ]
    assert (listed["label"], listed["created_at"]) == ("shop 2", changed["created_at"])
    assert made["key"] not in json.dumps(listed)
    stage.panel.cli("key", "revoke", rotated["prefix"])
    assert stage.panel.run("key", "rotate", rotated["prefix"]).code == 1


def test_an_endpoint_is_looked_after_by_commands(stage: Stage) -> None:
    cli, email = stage.panel.cli, f"{uuid4().hex}@example.com"
    cli("account", "create", email)
    added = cli("webhook", "add", email, "http://127.0.0.1:9/hook", "--events", "balance.low")
    assert (added["events"], added["secret"][:6]) == (["balance.low"], "whsec_")
    hook = added["webhook"]
    assert cli("webhook", "test", hook)["event"].startswith("evt_")
    assert cli("webhook", "rotate", hook)["secret"] != added["secret"]
    assert cli("webhook", "disable", hook) == {}
    [row] = cli("webhook", "list", email)["webhooks"]
    assert (row["webhook"], row["state"], row["reason"]) == (hook, "disabled", "owner")
    assert "secret" not in row
    assert stage.panel.run("webhook", "test", hook).code == 1
    assert cli("webhook", "enable", hook) == {}
    assert [row["state"] for row in cli("webhook", "list", email)["webhooks"]] == ["active"]
    assert cli("webhook", "remove", hook) == {"removed": hook}
    assert cli("webhook", "list", email) == {"webhooks": []}
    for _ in range(5):
        cli("webhook", "add", email, "http://127.0.0.1:9/hook")
    assert stage.panel.run("webhook", "add", email, "http://127.0.0.1:9/hook").code == 1


def test_an_operator_hears_what_a_discount_sells_below_cost(stage: Stage) -> None:
    on_sale = len(stage.panel.cli("catalog", "list")["services"])
    value = stage.panel.cli("tier", "set", "Agency", "--discount", "99")
    assert (value["discount"], value["below_cost"]) == ("99", on_sale)
    advice = {c["name"]: c["advice"] for c in stage.panel.run("doctor", "--json").value["checks"]}
    assert f"{on_sale} for Agency" in advice["no discount sells below cost"]
    assert stage.panel.cli("tier", "set", "Agency", "--discount", "0")["below_cost"] == 0


def test_a_deposit_by_hand_moves_an_account_up(stage: Stage) -> None:
    email = f"{uuid4().hex}@example.com"
    stage.panel.cli("account", "create", email)
    stage.panel.cli("account", "credit", email, "1000", "--reason", "bank transfer")
    with stage.panel.connect() as conn:
        query = "SELECT data->>'tier' FROM letters WHERE recipient = %s"
        assert conn.execute(query, [email]).fetchall() == [("Reseller",)]
        conn.execute("DELETE FROM letters WHERE recipient = %s", [email])


def test_a_suspended_account_is_turned_away_until_it_is_resumed(stage: Stage) -> None:
    stage.panel.cli("account", "suspend", CUSTOMER)
    assert stage.panel.call(stage.key, "balance") == (403, {"error": "Account suspended"})
    stage.panel.cli("account", "resume", CUSTOMER)
    assert stage.panel.call(stage.key, "balance")[0] == 200


REFUSED = [
    ("account", "create", CUSTOMER),
    ("account", "create", "not an address"),
    ("account", "create", "new@example.com", "--password", "short"),
    ("account", "create", "new@example.com", "--tier", "Golden"),
    *[("account", "credit", CUSTOMER, amount, "--reason", "x") for amount in ("1e3", "NaN", "0.0000001", "0", "")],
    ("account", "credit", CUSTOMER, "--reason", "x", "--", "-5"),
    ("account", "credit", CUSTOMER, "9000000000000", "--reason", "more than a wallet holds"),
    ("account", "credit", CUSTOMER, "5", "--reason", " "),
    ("account", "credit", CUSTOMER, "5", "--reason", "x" * 501),
    ("account", "credit", CUSTOMER, "5", "--reason", "x", "--reference", ""),
    ("account", "credit", "nobody@example.com", "5", "--reason", "x"),
    ("account", "suspend", "nobody@example.com"),
    ("key", "create", "nobody@example.com"),
    ("key", "revoke", "pnl_nowhere1"),
    ("key", "rotate", "pnl_nowhere1"),
    ("key", "set", "pnl_nowhere1", "--label", "shop"),
    ("key", "create", CUSTOMER, "--label", "x" * 101),
    ("key", "list", "nobody@example.com"),
    *[("account", "set", CUSTOMER, "--low-balance", amount) for amount in ("0", "-1", "1e3", "low", "")],
    ("account", "set", "nobody@example.com", "--low-balance", "5"),
    ("webhook", "add", "nobody@example.com", "http://127.0.0.1:9/hook"),
    ("webhook", "add", CUSTOMER, "ftp://127.0.0.1/hook"),
    ("webhook", "add", CUSTOMER, "http://127.0.0.1:9/hook", "--events", "order.pending"),
    ("webhook", "list", "nobody@example.com"),
    *[("webhook", act, "ord_1") for act in ("remove", "test", "rotate", "disable", "enable")],
    *[("webhook", act, f"whk_{'7Z' * 13}") for act in ("remove", "test", "rotate", "disable", "enable")],
    ("account", "tier", CUSTOMER, "Gold"),
    ("account", "tier", "nobody@example.com", "Agency"),
    ("tier", "set", "Gold", "--per-minute", "10"),
    ("tier", "set", "Agency"),
    ("tier", "set", "Agency", "--discount", "100"),
    ("tier", "set", "Agency", "--discount", "-1"),
    ("tier", "set", "Agency", "--discount", "2.125"),
    ("tier", "set", "Agency", "--threshold", "1e3"),
    ("provider", "add", "Sandbox", "https://example.com/api/v2", "--key", "x"),
    ("provider", "add", "Other", "ftp://example.com", "--key", "x"),
    ("provider", "add", "Other", "https://example.com/api/v2", "--key", "x", "--dialect", "klingon"),
    ("provider", "add", "", "https://example.com/api/v2", "--key", "x"),
    ("provider", "add", "Other", "https://example.com/api/v2", "--key", ""),
    ("provider", "test", "Nowhere"),
    ("catalog", "import", "Sandbox", "--services", "1,999"),
    ("catalog", "import", "Sandbox", "--services", ","),
    ("catalog", "import", "Sandbox", "--services", "4", "--markup", "-3"),
    ("catalog", "import", "Sandbox", "--services", "4", "--markup", "1e3"),
    ("catalog", "import", "Sandbox", "--services", "4", "--currency-rate", "0"),
    ("catalog", "import", "Nowhere"),
    ("catalog", "sync", "Nowhere"),
    ("catalog", "import", "Sandbox", "--services", "4", "--rounding", "0"),
    ("catalog", "import", "Sandbox", "--services", "4", "--markup-fixed", "-1"),
    ("catalog", "approve", "2147483647"),
    ("catalog", "refuse", "2147483647"),
    ("route", "add", "1", "Sandbox", "999"),
    ("route", "add", "1", "Sandbox", "1"),
    ("route", "add", "1", "Sandbox", "21"),
    ("route", "add", "1", "Nowhere", "2"),
    ("route", "add", "1", "Sandbox", "2", "--priority", "40000"),
    ("route", "add", "1", "Sandbox", "2", "--currency-rate", "0"),
    ("route", "add", "2147483647", "Sandbox", "2"),
    ("route", "set", "2147483647", "--state", "off"),
    ("service", "show", "2147483647"),
    ("service", "set", "1", "min=0"),
    ("service", "set", "2147483647", "min=1"),
    ("coupon", "create", "half", "--percent", "101"),
    ("coupon", "create", "half", "--percent", "0"),
    ("coupon", "create", "half", "--percent", "50", "--fixed", "1"),
    ("coupon", "create", "half"),
    ("coupon", "create", "half price", "--percent", "50"),
    ("coupon", "create", "half", "--fixed", "1e3"),
    ("coupon", "create", "half", "--percent", "50", "--services", "999999999"),
    ("coupon", "create", "half", "--percent", "50", "--categories", "Nowhere"),
    ("coupon", "create", "half", "--percent", "50", "--starts", "2026-12-01", "--ends", "2026-12-01"),
    ("coupon", "off", "nowhere"),
    ("order", "show", "ord_00000000000000000000000000"),
    ("order", "show", "nonsense"),
]  # fmt: skip


def _everything(stage: Stage) -> list[Any]:
    tables = (
        "accounts",
        "tiers",
        "users",
        "api_keys",
        "transfers",
        "wallets",
        "providers",
        "services",
        "routes",
    )
    with stage.panel.connect() as conn:
        return [conn.execute(f"SELECT count(*) FROM {table}").fetchall() for table in tables]  # noqa: S608


def test_a_refusal_has_a_reason_and_changes_nothing(stage: Stage) -> None:
    before, balance = _everything(stage), _balance(stage)
    for arguments in REFUSED:
        result = stage.panel.run(arguments[0], arguments[1], "--json", *arguments[2:])
        assert result.code == 1, (arguments, result)
        assert result.value["error"], arguments
        assert result.err == f"panelry: {result.value['error']}\n", arguments
    assert (_everything(stage), _balance(stage)) == (before, balance)


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "credit", CUSTOMER, "-5", "--reason", "x"),
        ("account", "credit", CUSTOMER, "5"),
        ("account",),
        ("key", "create", CUSTOMER, "--per-minute", "0"),
        ("key", "create", CUSTOMER, "--per-minute", "99999999999"),
        ("key", "set", "pnl_xxxxxxxx", "--per-minute", "0"),
        ("webhook", "redeliver", "whk_x", "--since", "yesterday"),
        ("tier", "set", "Agency", "--per-minute", "0"),
        ("submissions", "--state", "nowhere"),
        ("serve", "--only", "engine"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two(stage: Stage, arguments: tuple[str, ...]) -> None:
    result = stage.panel.run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    assert stage.panel.run(*arguments, "--json").value == {"error": "wrong usage"}


def test_the_eleventh_key_is_refused(stage: Stage) -> None:
    email = f"{uuid4().hex}@example.com"
    stage.panel.cli("account", "create", email)
    keys = [stage.panel.cli("key", "create", email)["key"] for _ in range(10)]
    result = stage.panel.run("key", "create", email, "--json")
    assert result.code == 1
    assert len(set(keys)) == 10


def test_verification_names_a_row_that_was_changed_behind_its_back(stage: Stage) -> None:
    change = "UPDATE transfers SET reason = reason || '!' WHERE version = 1 AND account_id = (SELECT account_id FROM wallets LIMIT 1)"
    undo = change.replace("reason || '!'", "left(reason, -1)")
    with stage.panel.connect() as conn, conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute(change)
    result = stage.panel.run("ledger", "verify", "--json")
    assert result.code == 1
    assert [(finding["account"][:4], bool(finding["row"])) for finding in result.value["wrong"]][:1] == [
        ("acc_", True)
    ]
    assert result.value["wrong"][0]["row"] in result.err
    with stage.panel.connect() as conn, conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute(undo)
    assert stage.panel.cli("ledger", "verify")["wrong"] == []


def test_an_order_is_followed_without_anybody_asking(stage: Stage) -> None:
    until(lambda: stage.panel.cli("order", "show", stage.order)["status"] == "completed")


def test_doctor_is_content_but_for_development_mode(stage: Stage) -> None:
    result = stage.panel.run("doctor", "--json")
    assert result.code == 1
    assert [c["name"] for c in result.value["checks"] if not c["ok"]] == ["development mode is off"]
    stage.panel.settings = {"PANELRY_DEVELOPMENT": "0", "PANELRY_LIMITS": "on"}
    assert stage.panel.run("doctor", "--json").code == 0
    stage.panel.settings = {}


def test_every_command_works_with_nothing_running_and_leaves_nothing_running(
    stage: Stage, folder: Path
) -> None:
    stage.panel.stop()
    for arguments in _every_command(stage.order, folder):
        _answers_once(stage.panel, arguments)
        assert stage.panel.left() == [], arguments
    assert stage.panel.run("doctor", "--json").code == 1
    told = stage.panel.run("doctor").err
    assert "WRONG" in told
    assert "PostgreSQL 15 or newer" in told, "what is well is shown beside what is not"
    stage.panel.started()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_command_that_is_stopped_leaves_no_server_running(folder: Path, kind: signal.Signals) -> None:
    one = Panel(data=folder / "data")
    try:
        process = one.spawn("migrate")
        until(lambda: one.cluster.joinpath("postmaster.pid").exists())
        process.send_signal(kind)
        assert process.wait(30) == 128 + kind
        until(lambda: not one.left(), seconds=10)
    finally:
        clear_away(one)


def test_a_pipe_that_closes_early_is_no_traceback(stage: Stage) -> None:
    process = stage.panel.spawn("catalog", "list")
    assert process.stdout
    process.stdout.close()
    process.wait(30)
    assert process.stderr
    assert "Traceback" not in process.stderr.read()

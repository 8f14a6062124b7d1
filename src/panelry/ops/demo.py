"""Demonstration data: a believable catalogue of lawful services, bought from sandbox providers of our own.

Made by the same operations as real data. The second time it finds what it made and changes nothing.
"""

import json
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from panelry import settings as panelry_settings
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, billing, catalog, coupons, money, orders, providers
from panelry.domain.accounts import AccountNotFound
from panelry.domain.catalog import NewService, ServiceId
from panelry.domain.coupons import CouponExists
from panelry.domain.providers import ProviderNotFound
from panelry.ops.session import Session
from panelry.ops.supervisor import Part
from panelry.settings import Settings

CUSTOMER: Final = "customer@example.com"
STAFF: Final = "staff@example.com"
QUICK, SLOW, PAUSED = "Sandbox", "Sandbox, slow", "Sandbox, paused"
COUPON: Final = "WELCOME10"
DISCOUNTS: Final = {"Reseller": 3, "Agency": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service of the demonstration, the sandbox service behind it, and how its first orders are to be seen."""

    category: str
    name: str
    description: str
    rate: str
    minimum: int
    maximum: int
    average_time: str
    provider: str
    sandbox_service: str
    orders: tuple[dict[str, str], ...]
    type: str = "Default"
    rate_per: int = catalog.PER_THOUSAND
    refill: bool = False
    dripfeed: bool = False


def _link(page: str, **more: str) -> dict[str, str]:
    return {"link": f"https://example.com/{page}", **more}


OFFERS: Final = (
    Offer(
        category="Newsletters",
        name="Technology digest: sponsored link, per 1,000 readers",
        description="One labelled link in the next weekly issue. Readers are counted by unique opens.",
        rate="4.50", minimum=100, maximum=200_000, average_time="2 days",
        provider=QUICK, sandbox_service="1", refill=True, orders=(_link("campaigns/1", quantity="2000"), _link("campaigns/1", quantity="15000")),
    ),
    Offer(
        category="Newsletters",
        name="Local events letter: classified, per 1,000 readers",
        description="A classified of up to 40 words in a regional letter. Where an issue sells out, the rest is refunded.",
        rate="3.20", minimum=100, maximum=50_000, average_time="4 days",
        provider=QUICK, sandbox_service="3", orders=(_link("campaigns/2", quantity="5000"),),
    ),
    Offer(
        category="Advertising",
        name="Display banners on independent news sites, per 1,000 impressions",
        description="Viewable impressions on publishers' own inventory, capped at three per reader and day.",
        rate="2.25", minimum=1_000, maximum=1_000_000, average_time="3 days",
        provider=SLOW, sandbox_service="2", dripfeed=True, orders=(
            _link("campaigns/3", quantity="40000"), _link("campaigns/spring", quantity="2000", runs="5", interval="60"),
            _link("campaigns/3", quantity="12000")),
    ),
    Offer(
        category="Advertising",
        name="Search advertising, managed, per 1,000 clicks",
        description="Our media desk runs the campaign on your landing page. Pages that break the network's rules are refused.",
        rate="95.00", minimum=100, maximum=20_000, average_time="5 days",
        provider=QUICK, sandbox_service="5", orders=(_link("campaigns/4", quantity="250"),),
    ),
    Offer(
        category="Creators",
        name="Short video mention by vetted creators, per 1,000 views",
        description="Creators disclose the placement. Views are those that the platform reports to them.",
        rate="9.00", minimum=500, maximum=500_000, average_time="6 days",
        provider=QUICK, sandbox_service="11", orders=(_link("campaigns/5", quantity="10000"),),
    ),
    Offer(
        category="Creators",
        name="Podcast pre-roll, read by the host, per 1,000 downloads",
        description="Thirty seconds before the episode. If the show cannot place it, the order is cancelled and refunded.",
        rate="18.00", minimum=500, maximum=100_000, average_time="8 days",
        provider=QUICK, sandbox_service="4", orders=(_link("campaigns/6", quantity="1000"),),
    ),
    Offer(
        category="Music",
        name="Pitch to independent playlist curators, per 1,000 listeners reached",
        description="Curators listen and decide for themselves; only followers of playlists that took the track count.",
        rate="6.40", minimum=100, maximum=100_000, average_time="7 days",
        provider=PAUSED, sandbox_service="2", orders=(_link("campaigns/7", quantity="3000"),),
    ),
    Offer(
        category="Music",
        name="Campus radio promotion, per 1,000 listeners",
        description="Promotion to programme directors. Listeners are the stations' own figures.",
        rate="5.10", minimum=100, maximum=50_000, average_time="10 days",
        provider=QUICK, sandbox_service="7", orders=(_link("campaigns/8", quantity="1500"),),
    ),
    Offer(
        category="Articles",
        name="Sponsored article in a trade magazine",
        description="Written by the magazine's desk from your brief, labelled as sponsored, online for at least a year.",
        rate="120.00", minimum=1, maximum=1, average_time="12 days", type="Package", rate_per=catalog.PER_PACKAGE,
        provider=QUICK, sandbox_service="21", orders=(_link("brief", coupon=COUPON),),
    ),
    Offer(
        category="Newsletters",
        name="A line in each new issue of a letter that you choose",
        description="Names you in the next issues as they appear. Issues that do not appear in time are refunded.",
        rate="40.00", minimum=100, maximum=10_000, average_time="8 weeks", type="Subscriptions",
        provider=QUICK, sandbox_service="36",
        orders=({"username": "morning-letter", "min": "100", "max": "500", "posts": "4", "delay": "0"},),
    ),
)  # fmt: skip


def prepare(session: Session, settings: Settings, *, address: str) -> tuple[list[Part], dict[str, Any]]:
    """Make the demonstration data; return the sandboxes to run, and what to tell the person who started this."""
    assert settings.database_url is not None
    note = _Note.read(settings.data / "demo.json")
    pool = Pool(settings.database_url, size=2, prepare=settings.prepare, name="panelry demo")
    try:
        with pool.transaction() as conn:
            service = _fill(conn, session, note)
            note.write()  # before the commit: a key that only the database knows would be lost
    finally:
        pool.close()
    _write()
    curl = (
        f"curl -s {address}/api/v2 -d key={note.key} -d action=add -d service={service} "
        "-d link=https://example.com/spring-sale -d quantity=1000 -d request_id=first-order"
    )
    told = {"customer": CUSTOMER, "staff": STAFF, "password": note.password, "key": note.key, "curl": curl}
    quick = _sandbox(note, QUICK, log=settings.data / "sandbox.jsonl", speed="1.0")
    slow = _sandbox(note, SLOW, log=settings.data / "sandbox-slow.jsonl", speed="0.01")
    return [quick, slow], told


def _write() -> None:
    panelry_settings.choose_django_settings()
    import django

    django.setup()
    from django.db import connection

    from panelry.web.content import demonstration

    demonstration.fill()
    connection.close()


def _sandbox(note: "_Note", name: str, *, log: Path, speed: str) -> Part:
    where = ["--listen", f"127.0.0.1:{note.ports[name]}", "--log", str(log)]
    # The key is not an argument: everybody on the machine can read those.
    environment = {"PANELRY_SANDBOX_KEY": note.provider_key}
    return Part(name=name, arguments=["sandbox", *where, "--speed", speed], environment=environment)


def _fill(conn: Conn, session: Session, note: "_Note") -> ServiceId:
    account_id = _people(conn, note)
    bought_from = {
        name: _provider(conn, session, note, name, note.ports.get(name, note.ports[QUICK]))
        for name in (QUICK, SLOW, PAUSED)
    }
    providers.pause(conn, [bought_from[PAUSED]], "shown paused in the demonstration")
    known = {listing.name: listing.id for listing in catalog.listings(conn)}
    missing = [offer for offer in OFFERS if offer.name not in known]
    rows = [(_service(offer), bought_from[offer.provider], offer.sandbox_service) for offer in missing]
    known |= dict(zip((o.name for o in missing), catalog.add_services(conn, rows), strict=True))
    with suppress(CouponExists):
        coupons.create(conn, COUPON, coupons.Terms(percent=Decimal(10), most_per_account=1))
    orders.place(
        conn,
        [
            orders.Draft(
                caller=account_id,
                service=known[offer.name],
                request_id=f"demonstration-{number}-{nth}",
                parameters=parameters,
            )
            for number, offer in enumerate(OFFERS, start=1)
            for nth, parameters in enumerate(offer.orders, start=1)
        ],
    )
    return known[OFFERS[0].name]


def _people(conn: Conn, note: "_Note") -> accounts.AccountId:
    try:
        customer = accounts.by_email(conn, CUSTOMER)
    except AccountNotFound:
        customer = accounts.create(conn, CUSTOMER, password=note.password, tier="Reseller")
        accounts.create(conn, STAFF, password=note.password, staff=True)
        for tier, percent in DISCOUNTS.items():
            accounts.change_tier(conn, tier, discount_percent=Decimal(percent))
        note.key = accounts.create_key(conn, customer.id, label="Demonstration").key
    billing.deposit(
        conn,
        customer.id,
        money.parse("900.00"),
        gateway="manual",
        reason="Demonstration money",
        actor="operator",
        reference="demonstration",
    )
    return customer.id


def _provider(conn: Conn, session: Session, note: "_Note", name: str, port: int) -> providers.ProviderId:
    url = f"http://127.0.0.1:{port}/api/v2"
    try:
        known = providers.by_name(conn, session.vault, name)
    except ProviderNotFound:
        return providers.add(conn, session.vault, name, url=url, key=note.provider_key)
    providers.move(conn, known.id, url)
    return known.id


def _service(offer: Offer) -> NewService:
    return NewService(
        category=offer.category,
        name=offer.name,
        description=offer.description,
        type=offer.type,
        rate_micros=money.parse(offer.rate),
        rate_per=offer.rate_per,
        minimum=offer.minimum,
        maximum=offer.maximum,
        refill=offer.refill,
        cancel=True,
        dripfeed=offer.dripfeed,
        average_time=offer.average_time,
    )


@dataclass(slots=True)
class _Note:
    """What the demonstration remembers in the data directory, readable for its owner alone."""

    path: Path
    password: str
    key: str
    provider_key: str
    ports: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> "_Note":
        known = json.loads(path.read_text()) if path.exists() else {}
        ports = known.get("ports", {QUICK: 8099, SLOW: 8098})
        return cls(
            path=path,
            password=known.get("password") or secrets.token_urlsafe(12),
            key=known.get("key", ""),
            provider_key=known.get("provider_key") or secrets.token_urlsafe(16),
            ports={name: _free(port) for name, port in ports.items()},
        )

    def write(self) -> None:
        self.path.touch(mode=0o600)
        known = {
            "password": self.password,
            "key": self.key,
            "provider_key": self.provider_key,
            "ports": self.ports,
        }
        self.path.write_text(json.dumps(known))


def _free(port: int) -> int:
    """Return the port, or another one where somebody listens on it already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

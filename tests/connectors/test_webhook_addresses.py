"""No endpoint that a customer enters makes the panel dial what is not public: not when it is entered, not when it is called."""

# ruff: noqa: RUF001 (letters that look like others are what is tried here)
import asyncio
import socket
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import ResolveResult
from upstreams import Names, answering, client, talking

from panelry.connectors.addresses import AddressPolicy, for_webhooks
from panelry.connectors.http import Answer, HttpClient, NotAllowed, NotRead
from panelry.connectors.names import is_reachable, resolving
from panelry.settings import Settings

POLICY = for_webhooks(Settings(data=Path("/nowhere")))
HOSTILE_URLS = r"""
http://shop.example/hook HTTP://shop.example/ ftp://shop.example/ file:///etc/passwd gopher://shop.example:443/
unix:///run/docker.sock ws://shop.example/ wss://shop.example/ dict://shop.example:443/ data:text/plain,x javascript:x
https:shop.example https:/shop.example //shop.example/ shop.example https:// https:///hook https://?x https://#x
https://user@shop.example/ https://user:word@shop.example/ https://:word@shop.example/ https://@shop.example/
https://shop.example@127.0.0.1/ https://shop.example:443@127.0.0.1/ https://127.0.0.1:443@shop.example/
https://shop.example%40127.0.0.1@127.0.0.1/ https://shop.example\@127.0.0.1/ https://shop.example\.evil.example/
https://127.0.0.1\@shop.example/ https:\\127.0.0.1\ https://shop.example/\..\
https://shop.example:80/ https://shop.example:8443/ https://shop.example:22/ https://shop.example:25/
https://shop.example:6379/ https://shop.example:5432/ https://shop.example:0/ https://shop.example:65536/
https://shop.example:-443/ https://shop.example:443443/ https://shop.example:x/ https://shop.example:٤٤٣/
https://127.0.0.1/ https://127.0.0.1./ https://127.1/ https://127.0.1/ https://127.255.255.254/ https://0/
https://0.0.0.0/ https://2130706433/ https://0x7f000001/ https://0x7F.1/ https://0x7f.0x0.0x0.0x1/
https://017700000001/ https://0177.0.0.1/ https://00000177.0.0.1/ https://127.0.0.0x1/ https://127.00.00.01/
https://3232235521/ https://0xA9FEA9FE/ https://0251.0376.0251.0376/ https://2852039166/ https://1.1.1.1.1/
https://4294967297/ https://256.256.256.256/ https://1.0xffffff/
https://10.0.0.1/ https://172.16.0.1/ https://172.31.255.255/ https://192.168.1.1/ https://100.64.0.1/
https://169.254.169.254/latest/meta-data/ https://169.254.170.2/v2/credentials https://100.100.100.200/
https://168.63.129.16/ https://192.0.0.192/ https://192.88.99.1/ https://198.18.0.1/ https://224.0.0.1/
https://239.255.255.250/ https://240.0.0.1/ https://255.255.255.255/
https://１２７.０.０.１/ https://①②⑦.⓪.⓪.①/ https://127。0。0。1/ https://127｡0｡0｡1/ https://127．0．0．1/
https://١٢٧.٠.٠.١/ https://१२७.०.०.१/ https://0ｘ7f.1/
https://[::1]/ https://[::]/ https://[0:0:0:0:0:0:0:1]/ https://[0000:0000:0000:0000:0000:0000:0000:0001]/
https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/ https://[::ffff:8.8.8.8]/ https://[::127.0.0.1]/
https://[::7f00:1]/ https://[::ffff:0:127.0.0.1]/ https://[64:ff9b::127.0.0.1]/ https://[64:ff9b::8.8.8.8]/
https://[64:ff9b:1::a00:1]/ https://[2002:7f00:1::]/ https://[2002:a9fe:a9fe::1]/
https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/ https://[2001:db8::1]/ https://[3fff::1]/ https://[100::1]/
https://[fec0::1]/ https://[fc00::1]/ https://[fd00::1]/ https://[fd00:ec2::254]/ https://[fe80::1]/
https://[fe80::1%25eth0]/ https://[fe80::1%eth0]/ https://[::1%25lo]/ https://[2606:4700::1111%25eth0]/
https://[ff02::1]/ https://[ff0e::1]/ https://[5f00::1]/ https://[::1/ https://::1/ https://[]/ https://[v1.x]/
https://[127.0.0.1]/ https://[::1]:8443/ https://[::1].shop.example/ https://shop.example[::1]/
"""
WITH_BLANKS = [
    "",
    " https://shop.example/",
    "https://shop.example/ ",
    "https://shop.example /",
    "https://shop.example/ HTTP/1.1",
    "https://shop.example/\r\nHost: 127.0.0.1",
    "https://shop\t.example/",
    "https://shop.example\n@127.0.0.1/",
    "https://127.0.0.1\t/",
    "https://\t127.0.0.1/",
    "https://shop.example/\x00",
    "https://127.0.0.1\x00.shop.example/",
    "https://shop.example/\x7f",
    "https://\u200b127.0.0.1/",
    "https://127.0.0.1\u200b/",
    "https://shop.example\u2028/",
    "https://\u202eelpmaxe.pohs/",
    "https://127\u00ad.0.0.1/",
    "https://" + "a" * 3000 + ".example/",
]
HOSTILE = [*HOSTILE_URLS.split(), *WITH_BLANKS]
NAMES = {
    "localhost": ["127.0.0.1"],
    "LOCALHOST": ["::1"],
    "localhost.": ["127.0.0.1"],
    "a.localhost": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"],
    "ｌｏｃａｌｈｏｓｔ": ["127.0.0.1"],
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ": ["127.0.0.1"],
    "locaⅼhost": ["127.0.0.1"],
    "lоcalhost": ["127.0.0.1"],
    "ℓocalhost": ["127.0.0.1"],
    "local\u00adhost": ["127.0.0.1"],
    "%6cocalhost": ["127.0.0.1"],
    "xn--lcalhost-ssc": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "7f000001.rebind.example": ["127.0.0.1"],
    "loop.shop.example": ["127.3.2.1"],
    "mapped.shop.example": ["::ffff:127.0.0.1"],
    "compatible.shop.example": ["::7f00:1"],
    "nat64.shop.example": ["64:ff9b::7f00:1"],
    "6to4.shop.example": ["2002:7f00:1::1"],
    "teredo.shop.example": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "zero.shop.example": ["0.0.0.0"],  # noqa: S104
    "zero6.shop.example": ["::"],
    "intranet": ["10.0.0.7"],
    "router.shop.example": ["192.168.0.1"],
    "cgnat.shop.example": ["100.64.7.7"],
    "ula.shop.example": ["fd12:3456::1"],
    "scoped.shop.example": ["fe80::1%eth0"],
    "site.shop.example": ["fec0::1"],
    "all.shop.example": ["224.0.0.1", "255.255.255.255", "ff02::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data.ec2.internal": ["169.254.169.254", "fd00:ec2::254"],
    "metadata.azure.example": ["168.63.129.16"],
    "metadata.alibaba.example": ["100.100.100.200"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "host.docker.internal": ["172.17.0.1"],
    "db.railway.internal": ["fd12::7"],
    "nonsense.shop.example": ["not an address"],
}


def registered(url: str, *addresses: str, policy: AddressPolicy = POLICY) -> bool:
    return asyncio.run(is_reachable(url, policy, resolver=Names(addresses)))


async def dialled(url: str, http: HttpClient) -> Answer:
    async with http:
        return await http.post(url, b"{}", {}, limit=4096, cut=True)


def test_the_table_is_long_enough() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE)
    assert len(HOSTILE) >= 100


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused_when_it_is_entered_and_again_when_it_is_called(url: str) -> None:
    """Though its name, where it has one, would be a public address."""
    assert not registered(url, "1.1.1.1")
    with pytest.raises(NotAllowed):
        asyncio.run(dialled(url, client(policy=POLICY, resolver=Names(["1.1.1.1"]))))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_what_is_not_public_is_refused_when_it_is_entered_and_again_when_it_is_called(
    name: str,
) -> None:
    url = f"https://{name}/hook"
    assert not registered(url, *NAMES[name])
    assert not registered(url, *NAMES[name], "1.1.1.1")
    assert not registered(url, "2606:4700:4700::1111", *NAMES[name])
    with pytest.raises(NotRead):
        asyncio.run(dialled(url, client(policy=POLICY, resolver=Names(NAMES[name]))))


@pytest.mark.parametrize("port", ["", ":443"])
@pytest.mark.parametrize("host", ["shop.example", "Shop.Example.", "магазин.example", "1.1.1.1"])
def test_an_ordinary_endpoint_may_be_entered(host: str, port: str) -> None:
    assert registered(f"https://{host}{port}/hook?shop=7", "1.1.1.1", "2606:4700:4700::1111")


def test_an_endpoint_whose_name_has_no_address_may_not_be_entered() -> None:
    assert not registered("https://shop.example/")


def test_more_ports_are_dialled_where_the_operator_said_so() -> None:
    policy = for_webhooks(Settings(data=Path("/nowhere"), webhook_ports=frozenset({443, 8443})))
    assert registered("https://shop.example:8443/", "1.1.1.1", policy=policy)
    assert not registered("https://shop.example:80/", "1.1.1.1", policy=policy)
    assert not registered("http://shop.example:8443/", "1.1.1.1", policy=policy)


def test_private_providers_do_not_make_endpoints_private() -> None:
    policy = for_webhooks(Settings(data=Path("/nowhere"), providers_private=True))
    assert not registered("https://127.0.0.1/", "127.0.0.1", policy=policy)


def test_with_the_development_switch_anything_may_be_entered_but_user_names() -> None:
    policy = for_webhooks(Settings(data=Path("/nowhere"), development=True))
    assert registered("http://127.0.0.1:5000/hook", policy=policy)
    assert not registered("http://user@127.0.0.1:5000/hook", policy=policy)


def test_a_look_up_that_hangs_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(Names):
        async def resolve(self, *_lookup: object, **_more: object) -> list[ResolveResult]:
            await asyncio.sleep(60)
            return []

    monkeypatch.setattr("panelry.connectors.names.LOOKUP_SECONDS", 0.05)
    assert not asyncio.run(is_reachable("https://shop.example/", POLICY, resolver=Hanging([])))


def assert_undialled(listeners: Sequence[socket.socket], calls: Coroutine[Any, Any, None]) -> None:
    """Make calls of which these sockets must hear nothing."""
    with ExitStack() as stack:
        for listener in listeners:
            stack.enter_context(listener)
        asyncio.run(calls)
        for listener in listeners:
            listener.settimeout(0.1)
            with pytest.raises(TimeoutError):
                listener.accept()


def test_a_name_that_is_public_when_entered_and_private_when_called_is_never_dialled() -> None:
    """A socket that listens on loopback hears of nobody, over IPv4 and IPv6, however the answers are mixed."""
    listeners = [
        socket.create_server(("127.0.0.1", 0)),
        socket.create_server(("::1", 0), family=socket.AF_INET6),
    ]
    answers = (["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["127.0.0.1", "::1"], ["0.0.0.0"], ["::"])  # noqa: S104

    async def call() -> None:
        for listener in listeners:
            port = listener.getsockname()[1]
            policy = AddressPolicy(schemes=frozenset({"https"}), ports=frozenset({port}))
            for second in answers:
                names = Names(["1.1.1.1"], second)
                url = f"https://rebind.example:{port}/"
                assert await is_reachable(url, policy, resolver=names)
                with pytest.raises(NotRead):
                    await dialled(url, client(policy=policy, resolver=names))

    assert_undialled(listeners, call())


@dataclass(frozen=True, kw_only=True)
class Blind(AddressPolicy):
    """Lets every URL pass, so that only the check at the moment of dialling is left."""

    def objection(self, url: str) -> str | None:  # noqa: ARG002
        return None


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "shop.example"])
@pytest.mark.parametrize("fresh", [True, False])
def test_the_check_when_dialling_holds_alone_for_addresses_and_names(host: str, *, fresh: bool) -> None:
    listeners = [socket.create_server(("127.0.0.1", 0))]
    port = listeners[0].getsockname()[1]
    listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))

    async def call() -> None:
        policy = Blind(schemes=frozenset({"http", "https"}))
        async with client(policy=policy, resolver=Names(["127.0.0.1", "::1", "::ffff:127.0.0.1"])) as http:
            for scheme in ("http", "https"):
                with pytest.raises(NotRead):
                    await http.post(f"{scheme}://{host}:{port}/", b"{}", {}, fresh=fresh)

    assert_undialled(listeners, call())


@dataclass(frozen=True, kw_only=True)
class OnlyOne(AddressPolicy):
    """Stands in for "public" on a machine that has loopback only."""

    def allows(self, address: str) -> bool:
        return address == "127.0.0.1"


def test_a_redirect_leads_nowhere() -> None:
    policy = OnlyOne(schemes=frozenset({"http"}))

    async def call() -> tuple[list[int], int]:
        statuses = []

        async def hears(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            pass

        async with talking(hears) as private:
            for status in (301, 302, 303, 307, 308):
                places = (
                    private.url,
                    private.url.replace("127.0.0.1", "127.0.0.2"),
                    "//127.0.0.1/",
                    "/again",
                )
                for place in places:
                    async with answering("moved", status=status, headers={"Location": place}) as shop:
                        statuses.append((await dialled(shop.url, client(policy=policy))).status)
                        assert len(shop.forms) == 1
            return statuses, len(private.connections)

    statuses, connections = asyncio.run(call())
    assert set(statuses) == {301, 302, 303, 307, 308}
    assert connections == 0


def test_of_a_long_answer_only_the_beginning_is_read_where_that_is_enough() -> None:
    sent = 0

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(500):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async def call() -> Answer:
        async with talking(floods) as shop:
            return await dialled(shop.url, client(policy=OnlyOne(schemes=frozenset({"http"}))))

    answer = asyncio.run(call())
    assert (answer.status, answer.body) == (200, b"x" * 4096)
    assert sent < 20_000_000


def test_names_of_this_machine_are_known_to_the_resolver_of_webhooks() -> None:
    async def look_up() -> set[str]:
        async with resolving() as resolver:
            return {one["host"] for one in await resolver.resolve("localhost", 80, socket.AF_UNSPEC)}

    assert asyncio.run(look_up()) & {"127.0.0.1", "::1"}

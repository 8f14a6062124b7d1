import asyncio
from dataclasses import dataclass

import pytest
from upstreams import FIELDS, OK, Names, answering, client, refusing_port, request_of, talking

from panelry.connectors.addresses import AddressPolicy
from panelry.connectors.http import Ambiguous, NotAllowed

# One request, once


async def serve_once_then_drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(OK)
    await writer.drain()
    REQUESTS.append(await request_of(reader))


REQUESTS: list[bytes] = []


def test_a_request_on_a_stale_connection_is_ambiguous_and_never_repeated() -> None:
    REQUESTS.clear()

    async def call() -> int:
        async with talking(serve_once_then_drop) as upstream, client() as http:
            await http.post_form(upstream.url, FIELDS)
            with pytest.raises(Ambiguous):
                await http.post_form(upstream.url, FIELDS)
            return len(upstream.connections)

    assert asyncio.run(call()) == 1
    assert len(REQUESTS) == 1


def test_a_fresh_request_never_meets_a_connection_that_was_used_before() -> None:
    async def call() -> tuple[int, int]:
        async with answering("{}") as upstream, client() as http:
            for fresh in (False, False, False):
                await http.post_form(upstream.url, FIELDS, fresh=fresh)
            kept = len(upstream.connections)
            for fresh in (True, True, False, True):
                await http.post_form(upstream.url, FIELDS, fresh=fresh)
            return kept, len(upstream.connections)

    assert asyncio.run(call()) == (1, 4)


def test_a_redirect_is_an_answer_and_the_key_does_not_travel() -> None:
    async def call() -> None:
        async with answering("{}") as elsewhere, client() as http:
            for status in (301, 302, 303, 307, 308):
                async with answering("moved", status=status, headers={"Location": elsewhere.url}) as upstream:
                    answer = await http.post_form(upstream.url, FIELDS, fresh=True)
                assert answer.status == status
            assert elsewhere.forms == []

    asyncio.run(call())


def test_proxies_in_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as nobody:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, nobody)
        monkeypatch.delenv("no_proxy", raising=False)

        async def call() -> int:
            async with answering("{}") as upstream, client() as http:
                return (await http.post_form(upstream.url, FIELDS)).status

        assert asyncio.run(call()) == 200


def test_cookies_are_neither_kept_nor_sent() -> None:
    async def call() -> list[dict[str, str]]:
        async with answering("{}", headers={"Set-Cookie": "session=1; Path=/"}) as upstream, client() as http:
            await http.post_form(upstream.url, FIELDS)
            await http.post_form(upstream.url, FIELDS)
            return upstream.headers

    assert [headers.get("Cookie") for headers in asyncio.run(call())] == [None, None]


def test_a_form_arrives_as_it_was_meant() -> None:
    fields = {
        "key": "a+b&c=d",
        "comments": "first\nsecond 🎉",
        "link": "https://x.example/?a=1&b=%20",
        "empty": "",
    }

    async def call() -> None:
        async with answering("{}", status=429, headers={"Retry-After": "7"}, path="/api.php?v=2") as upstream:
            async with client() as http:
                answer = await http.post_form(upstream.url, fields, fresh=True)
            assert (answer.status, answer.retry_after) == (429, "7")
            assert upstream.forms == [fields]
            assert upstream.headers[0]["Accept"] == "application/json"
            assert upstream.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"

    asyncio.run(call())


def test_an_address_in_brackets_and_a_name_are_both_dialled() -> None:
    async def call() -> int:
        async with answering("{}") as upstream, client(resolver=Names(["127.0.0.1"])) as http:
            named = upstream.url.replace("127.0.0.1", "panel.example")
            return (await http.post_form(named, FIELDS, fresh=True)).status

    assert asyncio.run(call()) == 200


# Which addresses


@dataclass(frozen=True, kw_only=True)
class OnlyOne(AddressPolicy):
    """Stands in for "public" on a machine that has loopback only."""

    def allows(self, address: str) -> bool:
        return address == "127.0.0.1"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1", "192.168.1.1"],
        ["::1"],
        ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "127.0.0.1"],
    ],
)
def test_a_name_of_a_private_address_is_not_dialled(addresses: list[str]) -> None:
    policy = AddressPolicy(schemes=frozenset({"http"}))

    async def call() -> int:
        async with answering("{}") as upstream, client(policy=policy, resolver=Names(addresses)) as http:
            with pytest.raises(NotAllowed):
                await http.post_form(upstream.url.replace("127.0.0.1", "panel.example"), FIELDS, fresh=True)
            return len(upstream.forms)

    assert asyncio.run(call()) == 0


def test_a_name_that_answers_differently_the_second_time_gains_nothing() -> None:
    policy = OnlyOne(schemes=frozenset({"http"}))
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request_of(reader))
        writer.write(OK)
        await writer.drain()

    async def call() -> None:
        async with talking(talk, host="0.0.0.0") as upstream:  # noqa: S104 (127.0.0.2 is to be within reach)
            names = Names(["127.0.0.1"], ["127.0.0.2"])
            url = upstream.url.replace("0.0.0.0", "panel.example")  # noqa: S104
            async with client(policy=policy, resolver=names) as http:
                assert (await http.post_form(url, FIELDS)).status == 200
                with pytest.raises(NotAllowed):
                    await http.post_form(url, FIELDS, fresh=True)

    asyncio.run(call())
    assert len(heard) == 1


def test_of_a_names_addresses_only_those_allowed_are_dialled() -> None:
    async def call() -> int:
        async with answering("{}") as upstream:
            names = Names(["127.0.0.3", "127.0.0.2", "127.0.0.1"])
            async with client(policy=OnlyOne(schemes=frozenset({"http"})), resolver=names) as http:
                url = upstream.url.replace("127.0.0.1", "panel.example")
                return (await http.post_form(url, FIELDS, fresh=True)).status

    assert asyncio.run(call()) == 200

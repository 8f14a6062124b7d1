"""Who sent a request: nobody who is not a trusted proxy can say that it was somebody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panelry import peers
from panelry.peers import NOBODY, Peers

PROXIES = peers.parse("10.0.0.0/8, 192.0.2.7,2001:db8:aaaa::/48, unix")
STRANGER = "203.0.113.9"


def client(peer: str | None, *forwarded: str, trusted: Peers = PROXIES) -> str | None:
    return peers.client(peer, [line.encode("latin-1") for line in forwarded], trusted=trusted)


@pytest.mark.parametrize(
    "forwarded", [(), ("1.2.3.4",), ("1.2.3.4, 10.0.0.1",), ("10.0.0.1", "127.0.0.1"), ("",)]
)
def test_a_stranger_is_whoever_its_socket_says(forwarded: tuple[str, ...]) -> None:
    assert client(STRANGER, *forwarded) == STRANGER
    assert client("10.0.0.1", *forwarded, trusted=NOBODY) == "10.0.0.1"
    assert client(None, *forwarded, trusted=NOBODY) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", [], "10.0.0.1"),
        (None, ["1.2.3.4"], "1.2.3.4"),
        (None, [], None),
        ("10.0.0.1", ["1.2.3.4, 10.9.9.9, 192.0.2.7"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["6.6.6.6, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4,"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4.5, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, 010.0.0.4, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, \xff\xfe, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, unix, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["1.2.3.4:5678"], "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("2001:db8:aaaa::1", ["2001:DB8:0::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["::ffff:1.2.3.4"], "1.2.3.4"),
        ("::ffff:1.2.3.4", ["6.6.6.6"], "1.2.3.4"),
        ("fe80::1%eth0", ["6.6.6.6"], "fe80::1"),
    ],
)  # fmt: skip
def test_each_trusted_proxy_vouches_for_the_one_entry_that_it_wrote(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    assert client(peer, *forwarded) == expected


@given(lie=st.lists(st.text(st.characters(max_codepoint=255)) | st.ip_addresses().map(str)))
@settings(max_examples=300)
def test_what_a_stranger_writes_never_changes_who_it_is(lie: list[str]) -> None:
    """The proxy appends the stranger's address to what the stranger sent."""
    assert client("10.0.0.1", *lie, STRANGER) == STRANGER
    assert client("10.0.0.1", ",".join([*lie, STRANGER])) == STRANGER
    assert client(STRANGER, *lie) == STRANGER


def test_an_endless_list_is_not_walked_to_its_end() -> None:
    assert client("10.0.0.1", "6.6.6.6" + ", 10.0.0.2" * 10_000) == "10.0.0.2"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "nowhere", "10.0.0.0/40", "*", "0x7f000001"])
def test_what_is_no_network_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        peers.parse(text)


def test_networks_and_the_unix_socket_are_told_apart() -> None:
    assert not NOBODY
    assert peers.parse(" , ") == NOBODY
    assert None in peers.parse("unix")
    assert None not in peers.parse("0.0.0.0/0,::/0")
    assert peers.read("1.2.3.4") not in peers.parse("::/0")

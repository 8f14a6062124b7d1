from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panelry.connectors.addresses import ANYWHERE, PUBLIC_HTTPS, for_providers, is_public
from panelry.settings import Settings

NOT_PUBLIC_ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.1.2.3
127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
192.0.0.170 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255
198.51.100.7 203.0.113.9 224.0.0.1 224.0.0.251 232.1.1.1 239.255.255.250 240.0.0.1 255.255.255.254
255.255.255.255 :: ::1 ::2 ::127.0.0.1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::1.1.1.1 64:ff9b::7f00:1 64:ff9b:1::1 64:ff9b:1:fffe::a00:1 100::1 100:0:0:1::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2001:db8:ffff::1
2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3fff::1 3fff:fff::1 4000::1 5f00::1 8000::1 fc00::1 fd00::1
fd00:ec2::254 fdff::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 feff::1 ff00::1 ff02::1 ff05::1:3 ff0e::1
2606:4700::1111%eth0
"""
NOT_PUBLIC = NOT_PUBLIC_ADDRESSES.split()
PUBLIC_ADDRESSES = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2606:4700:4700::1111 2001:4860:4860::8888 2001:200::1 2003::1 2a00:1450::1 2620:fe::fe 2400:cb00::1
"""
PUBLIC = PUBLIC_ADDRESSES.split()
UNREADABLE = [
    "",
    " ",
    "localhost",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "1.1.1.1 ",
    "1.1.1.256",
]
HOSTILE = [
    "",
    "https://",
    "https:///x",
    "https:/1.1.1.1/",
    "https:1.1.1.1",
    "//1.1.1.1/",
    "1.1.1.1",
    "panel.example/api",
    "http://panel.example/",
    "HTTP://panel.example/",
    "ftp://panel.example/",
    "file:///etc/passwd",
    "gopher://panel.example/",
    "unix:///run/docker.sock",
    "ws://panel.example/",
    "wss://panel.example/",
    "tcp://panel.example/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "https+unix://panel.example/",
    "https://user@panel.example/",
    "https://user:pass@panel.example/",
    "https://:pass@panel.example/",
    "https://@panel.example/",
    "https://:@panel.example/",
    "https://1.1.1.1@127.0.0.1/",
    "https://panel.example\\@127.0.0.1/",
    "https://panel.example\\.evil.example/",
    "https://panel.example /",
    " https://panel.example/",
    "https://panel.example/ x",
    "https://panel.example/\r\nX: y",
    "https://panel.example/\n",
    "https://panel\t.example/",
    "https://panel.example/\x00",
    "https://panel.example/\x7f",
    "https://panel.example:0/",
    "https://panel.example:65536/",
    "https://panel.example:-1/",
    "https://panel.example:x/",
    "https://[::1/",
    "https://::1/",
    "https://[]/",
    "https://[v1.x]/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.1/",
    "https://evil.0x7f/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[fd00:ec2::254]/",
    "https://" + "a" * 3000 + ".example/",
]


@pytest.mark.parametrize("address", NOT_PUBLIC + UNREADABLE)
def test_addresses_that_belong_to_nobody_on_the_internet_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_one_is_never_public(inner: IPv4Address) -> None:
    number = int(inner)
    for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"):
        assert not is_public(IPv6Address(int(IPv6Address(prefix)) + number))
    assert not is_public(IPv6Address((0x2002 << 112) + (number << 80) + 1))
    assert not is_public(IPv6Address((0x20010000 << 96) + (number ^ 0xFFFFFFFF)))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private_reserved_or_special(
    ip: IPv4Address | IPv6Address,
) -> None:
    special = ip.is_private or ip.is_reserved or ip.is_multicast or ip.is_loopback or ip.is_link_local
    assert not (special and is_public(ip))


@given(st.text())
def test_no_text_makes_the_checks_crash(text: str) -> None:
    is_public(text)
    for policy in (PUBLIC_HTTPS, ANYWHERE):
        policy.objection(text)
        policy.objection("https://" + text)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_meets_an_objection(url: str) -> None:
    assert PUBLIC_HTTPS.objection(url) is not None


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_url_of_an_address_that_is_not_public_meets_an_objection(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert PUBLIC_HTTPS.objection(f"https://{host}/api/v2") is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://panel.example/api/v2",
        "https://panel.example",
        "HTTPS://Panel.Example:8443/api.php?x=a@b",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/api/v1",
        "https://пример.example/api",
        "https://panel1.example2/",
        "https://panel.example./",
    ],
)
def test_an_ordinary_url_meets_none(url: str) -> None:
    assert PUBLIC_HTTPS.objection(url) is None


def test_private_providers_are_reached_only_where_the_operator_allowed_it(tmp_path: Path) -> None:
    assert for_providers(Settings(data=tmp_path)).objection("http://127.0.0.1:8080/") is not None
    for allowed in (
        Settings(data=tmp_path, development=True),
        Settings(data=tmp_path, providers_private=True),
    ):
        assert for_providers(allowed).objection("http://127.0.0.1:8080/") is None
        assert for_providers(allowed).objection("http://user@127.0.0.1:8080/") is not None
        assert for_providers(allowed).objection("ftp://127.0.0.1:8080/") is not None

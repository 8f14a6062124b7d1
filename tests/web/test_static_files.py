"""Our style sheets and scripts: light on the line, asked for once, never an old one."""

import gzip
import re

from django.test import Client


def style_sheet(client: Client) -> str:
    """Return the address of a style sheet as a page gives it."""
    [found] = re.findall(
        r'href="(/static/panelry/components\.css[^"]*)"', client.get("/sign-in/").content.decode()
    )
    return str(found)


def test_a_file_is_kept_by_browsers_under_an_address_that_changes_with_it(client: Client) -> None:
    address = style_sheet(client)
    assert re.search(r"\?v=[0-9a-f]{10}$", address)
    assert client.get(address)["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in client.get(address.partition("?")[0])["Cache-Control"]


def test_a_file_comes_compressed_to_who_understands_that(client: Client) -> None:
    address = style_sheet(client)
    plain = client.get(address)
    packed = client.get(address, headers={"accept-encoding": "gzip, br"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 3
    assert gzip.decompress(packed.content) == plain.content
    assert "Accept-Encoding" in plain["Vary"]
    assert "Accept-Encoding" in packed["Vary"]


def test_a_page_comes_compressed_too(client: Client) -> None:
    assert client.get("/sign-in/", headers={"accept-encoding": "gzip"})["Content-Encoding"] == "gzip"

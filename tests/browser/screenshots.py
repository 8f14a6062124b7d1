"""`make screenshots`: the pictures of README.md, and with `--all FOLDER` every page in each language, size and theme.

A panel with demonstration data is started for it and ended afterwards.
"""

import argparse
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from struct import pack
from typing import Final

import page_list
from looking import in_language
from playwright.sync_api import sync_playwright
from visits import LANGUAGES, THEMES, WIDTHS, Reader, cookies_of, launched

import servers
from journeys.panels import Panel, panel

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
README: Final = {"site": "/", "documentation": "/developers/place-order/"}
HOST: Final = "panel.example"
PUBLIC: Final = {
    "PANELRY_DEVELOPMENT": "0", "PANELRY_LIMITS": "on", "PANELRY_PROVIDERS_PRIVATE": "1", "PANELRY_HOSTS": HOST,
}  # fmt: skip
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--all", type=Path, metavar="FOLDER", help="every page, in each language, size and theme"
    )
    wanted = parser.parse_args()
    if wanted.all:
        _take_all(wanted.all)
    else:
        _take_for_readme()


def _take_for_readme() -> None:
    """Take them of a panel that runs as at an operator's, under a name and not on some port."""
    IMAGES.mkdir(exist_ok=True)
    with _demonstration(PUBLIC) as one, sync_playwright() as playwright:
        browser = launched(playwright, f"--host-resolver-rules=MAP {HOST}:80 127.0.0.1:{one.port}")
        reader = Reader(browser=browser, home=f"http://{HOST}")
        for name, path in README.items():
            with reader.visit(path) as visit:
                assert visit.status == 200, path
                _write(IMAGES / f"{name}.png", visit.page.screenshot())
        browser.close()


def _take_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _demonstration({}) as one, sync_playwright() as playwright:
        browser = launched(playwright)
        stranger = Reader(browser=browser, home=one.address)
        customer = Reader(browser=browser, home=one.address, cookies=cookies_of(browser, one.told))
        pages = [(stranger, path, True) for path in page_list.public()]
        pages += [(stranger, path, False) for path in page_list.DOORS]
        pages += [(customer, path, False) for path in page_list.PERSONAL]
        for (reader, path, is_public), language in product(pages, LANGUAGES):
            name = path.strip("/").replace("/", "_") or "home"
            with reader.visit(in_language(path, language) if is_public else path, language=language) as visit:
                for width, theme in product(WIDTHS, THEMES):
                    visit.wear(width=width, theme=theme)
                    picture = visit.page.screenshot(full_page=True)
                    (folder / f"{name}-{language}-{width}-{theme}.png").write_bytes(picture)
        browser.close()


@contextmanager
def _demonstration(settings: dict[str, str]) -> Iterator[Panel]:
    with servers.open_folder() as folder, panel(folder / "data", "--demo", settings=settings) as one:
        yield one


def _write(path: Path, picture: bytes) -> None:
    """Store a picture as small as PNG can: the browser packs in a hurry."""
    path.write_bytes(_repacked(picture))
    sys.stdout.write(f"{path.name}: {path.stat().st_size // 1000} kB\n")


def _repacked(picture: bytes) -> bytes:
    chunks, at = [], len(SIGNATURE)
    while at < len(picture):
        length = int.from_bytes(picture[at : at + 4], "big")
        chunks.append((picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]))
        at += 12 + length
    pixels = zlib.compress(zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT")), 9)
    head = next(body for kind, body in chunks if kind == b"IHDR")
    kept = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    return SIGNATURE + b"".join(
        pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body)) for kind, body in kept
    )


if __name__ == "__main__":
    main()

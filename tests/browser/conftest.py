"""A panel with demonstration data, and a browser before it; each worker of xdist has its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from visits import Reader, chromium, cookies_of, launched

import servers
from journeys.panels import panel


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser for one file of tests: while Playwright is there, no other test of the worker can run a loop."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demonstration() -> Iterator[dict[str, str]]:
    """Return what a running panel told who started it: its address, whom to sign in as."""
    chromium()
    with servers.open_folder() as folder, panel(folder / "data", "--demo") as one:
        assert one.told
        yield one.told


@pytest.fixture
def stranger(browser: Browser, demonstration: dict[str, str]) -> Reader:
    """Return somebody who has not signed in."""
    return Reader(browser=browser, home=demonstration["address"])


@pytest.fixture(scope="module")
def cookies(browser: Browser, demonstration: dict[str, str]) -> list[object]:
    """Return what the customer's browser carries after signing in."""
    return cookies_of(browser, demonstration)


@pytest.fixture
def customer(browser: Browser, demonstration: dict[str, str], cookies: list[object]) -> Reader:
    """Return the customer of the demonstration, signed in."""
    return Reader(browser=browser, home=demonstration["address"], cookies=cookies)

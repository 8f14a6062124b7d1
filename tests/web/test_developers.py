"""The documentation for developers: complete, the same in every language, and true of the panel that it stands on."""

import pytest
from django.test import Client

from panelry.web.site.developers.pages import PAGES, Page


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.slug)
def test_every_page_is_there(client: Client, page: Page) -> None:
    answer = client.get("/developers/" if page.slug == "overview" else f"/developers/{page.slug}/")
    assert answer.status_code == 200
    assert client.get(f"/developers/{page.slug}.md").status_code == 200

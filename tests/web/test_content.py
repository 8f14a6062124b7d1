"""What an operator writes: first texts, versions, languages, and Markdown that can do no harm."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import translation

from panelry import clock
from panelry.web.content import files
from panelry.web.content.files import LANGUAGES, TEXTS

pytestmark = pytest.mark.usefixtures("pages")


@pytest.fixture(autouse=True)
def _closed(pages: None) -> Iterator[None]:
    yield
    connection.close()


def _html(text: str, name: str = "Panel") -> str:
    from panelry.web.content import prose

    return str(prose.html(text, name=name))


def test_a_new_panel_has_every_page_post_and_question_in_every_language() -> None:
    from panelry.web.content.models import Page, Post, Question
    from panelry.web.content.models.pages import Slug

    assert set(Slug.values) == set(Page.objects.values_list("slug", flat=True))
    texts = [*Page.objects.filter(version=1), *Post.objects.all(), *Question.objects.all()]
    assert len(texts) > 15
    for one in texts:
        for language in LANGUAGES:
            with translation.override(language):
                assert one.language == language
                assert one.title
                assert one.body


def test_first_texts_are_installed_once_and_never_over_what_an_operator_wrote() -> None:
    from panelry.web.content.installing import install
    from panelry.web.content.models import Question

    question = Question.objects.order_by("id").first()
    assert question is not None
    question.title_en, question.is_shown = "Changed by the operator", False
    question.save()
    assert install() == 0
    question.refresh_from_db()
    assert (question.title_en, question.is_shown) == ("Changed by the operator", False)
    question.title_en, question.is_shown = "How long does an order take?", True
    question.save()


@pytest.mark.parametrize("folder", ["pages", "posts", "releases", "demonstration"])
def test_the_languages_of_a_first_text_have_the_same_shape(folder: str) -> None:
    for slug, fields in files.documents(folder):
        shapes = [_shape(fields[f"body_{language}"]) for language in LANGUAGES]
        assert shapes[0] == shapes[1] == shapes[2], slug
        for language in LANGUAGES:
            description = fields[f"description_{language}"]
            assert len(description) <= 320
            assert not set(description) & set("[]`*")  # it is shown as it is written


def _shape(body: str) -> tuple[int, ...]:
    """Count headings, list items, rows of tables, links and words of the API."""
    marks = (r"^## ", r"^- ", r"^\d\. ", r"^\|", r"\]\(page:\w+\)", r"`[ -_a-~]+`")
    return tuple(len(re.findall(mark, body, re.MULTILINE)) for mark in marks)


def test_the_languages_of_a_first_question_have_the_same_shape() -> None:
    for one in files.questions():
        shapes = [_shape(one.fields[f"body_{language}"]) for language in LANGUAGES]
        assert shapes[0] == shapes[1] == shapes[2], one.slug


def test_every_link_in_a_first_text_leads_to_a_page() -> None:
    from django.urls import reverse

    linked = {
        name for path in TEXTS.rglob("*.md") for name in re.findall(r"\(page:(\w+)\)", path.read_text())
    }
    assert {"contact", "refunds", "services"} <= linked
    for name in linked:
        assert reverse(name)


def test_a_missing_language_falls_back_to_english() -> None:
    from panelry.web.content.models import Post

    post = Post(
        title_en="Hello", body_en="Words", title_tr="Merhaba", body_tr="", title_ar="", body_ar="كلمات"
    )
    with translation.override("tr"):
        assert (post.language, post.title, post.body) == ("en", "Hello", "Words")
    with translation.override("ar"):
        assert (post.language, post.title, post.body) == ("ar", "Hello", "كلمات")


@pytest.mark.parametrize(
    "harm",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/pixel.png)",
        '<a href="https://x.example" onclick="alert(1)" style="position:fixed">x</a>',
        "| a |\n|:-:|\n| b |",
        "<iframe src=//evil.example></iframe>",
        "[x](vbscript:alert(1))",
    ],
)
def test_markdown_cannot_do_harm(harm: str) -> None:
    made = _html(harm)
    assert not re.search(r"<(script|img|iframe|style|object)\b", made)
    assert not re.search(r"<[^>]*\b(on\w+|style)=", made)
    assert not re.search(r"""href=["']?(javascript|data|vbscript)""", made)


def test_a_brands_name_stands_in_texts_as_it_is_written() -> None:
    assert _html("Why {name}?", name="A*B* <i> [x](y)") == "<p>Why A*B* &lt;i&gt; [x](y)?</p>\n"


def test_a_link_to_a_page_leads_there_in_the_readers_language() -> None:
    with translation.override("ar"):
        assert 'href="/ar/contact/"' in _html("[x](page:contact)")
    assert 'href="/contact/"' in _html("[x](page:contact)")
    assert 'href="#"' in _html("[x](page:nowhere)")


def test_what_is_not_published_yet_is_not_shown() -> None:
    from panelry.web.content import queries
    from panelry.web.content.models import Page, Post
    from panelry.web.content.models.posts import Kind

    later = clock.now() + timedelta(days=1)
    page = Page(slug="about", version=900, title_en="Later", body_en="Later", published_at=later)
    page.save()
    draft = Post(slug="a-draft", kind=Kind.ARTICLE, title_en="Draft", body_en="Draft")
    draft.save()
    waiting = Post(slug="waits", kind=Kind.ARTICLE, title_en="Waits", body_en="W", published_at=later)
    waiting.save()
    try:
        current = queries.page("about")
        assert current is not None
        assert current.version < 900
        assert queries.page("about", 900) is None
        assert 900 not in queries.versions("about")
        assert not {"a-draft", "waits"} & {one.slug for one in queries.posts(Kind.ARTICLE, most=100)}
        assert queries.post(Kind.ARTICLE, "a-draft") is None
    finally:
        for one in (page, draft, waiting):
            one.delete()


def test_the_content_models_and_their_migrations_agree() -> None:
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    known = MigrationLoader(None)
    detector = MigrationAutodetector(known.project_state(), ProjectState.from_apps(apps))
    assert "content" not in detector.changes(graph=known.graph)


def test_the_demonstration_writes_its_texts_once() -> None:
    from panelry.web.content import demonstration
    from panelry.web.content.models import Giveaway, Post

    demonstration.fill()
    Post.objects.filter(slug=demonstration.NOTICE).update(title_en="Changed")
    demonstration.fill()
    try:
        assert Post.objects.get(slug=demonstration.NOTICE).title_en == "Changed"
        assert Giveaway.objects.filter(slug=demonstration.GIVEAWAY).count() == 1
    finally:
        Post.objects.filter(slug=demonstration.NOTICE).delete()
        Giveaway.objects.filter(slug=demonstration.GIVEAWAY).delete()

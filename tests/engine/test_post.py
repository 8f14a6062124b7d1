"""Letters leave the outbox by a real mail server."""

import asyncio
from dataclasses import replace

import pytest
from shops import desk

from mail.offices import office
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain import letters
from panelry.domain.letters import Letter
from panelry.engine.letters import Letters
from panelry.settings import Settings

TIER = Letter(
    recipient="owner@example.com",
    template="tier_reached",
    data={"tier": "Agency", "discount": "7", "per_minute": 5000},
)


@pytest.fixture
def settings(fresh_database: str) -> Settings:
    return replace(panelry_settings.load({"PANELRY_DEVELOPMENT": "1"}), database_url=fresh_database)


def send_all(pool: Pool, settings: Settings) -> int:
    async def run() -> int:
        async with desk(pool, settings) as at:
            post, sent = Letters(at), 0
            while found := await post.send():
                sent += found
            return sent

    return asyncio.run(run())


def state(pool: Pool) -> list[str]:
    with pool.transaction() as conn:
        return [row[0] for row in conn.execute("SELECT state FROM letters ORDER BY id")]


def test_letters_wait_for_a_mail_server_and_go_out_once_there_is_one(
    fresh_pool: Pool, settings: Settings
) -> None:
    with fresh_pool.transaction() as conn:
        letters.write(conn, TIER)
        letters.write(conn, replace(TIER, recipient="other@example.com"))
    assert send_all(fresh_pool, settings) == 0
    assert state(fresh_pool) == ["waiting", "waiting"]
    with office() as post:
        given = replace(settings, mail_url=f"smtp://127.0.0.1:{post.port}", mail_from="panel@example.com")
        assert send_all(fresh_pool, given) == 2
        assert send_all(fresh_pool, given) == 0
        assert {letter["To"] for letter in post.letters} == {"owner@example.com", "other@example.com"}
    assert state(fresh_pool) == ["sent", "sent"]


def test_a_letter_that_is_refused_holds_up_no_other(fresh_pool: Pool, settings: Settings) -> None:
    with fresh_pool.transaction() as conn:
        letters.write(conn, TIER)
    with office() as post:
        given = replace(settings, mail_url=f"smtp://127.0.0.1:{post.port}", mail_from="panel@example.com")
        post.says = "550 no such person"
        send_all(fresh_pool, given)
        post.says = "250 OK"
        with fresh_pool.transaction() as conn:
            letters.write(conn, TIER)
        send_all(fresh_pool, given)
        assert len(post.letters) == 1
    assert state(fresh_pool) == ["failed", "sent"]

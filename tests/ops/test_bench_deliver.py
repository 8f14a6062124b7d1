"""How fast an engine tells endpoints is said only where each heard what was acknowledged, signed, as often as that."""

from pathlib import Path
from typing import Final

import pytest
from small import TAMPERED, measured

from panelry import clock
from panelry.domain import webhooks
from panelry.domain.webhooks import rules
from panelry.ops.bench.deliver import is_signed

SMALL: Final = {"events": 5_000, "seconds": 1, "accounts": 10, "scale": 1}
FORGET: Final = (
    "DELETE FROM delivery_attempts WHERE event_id IN (SELECT event_id FROM delivery_attempts LIMIT 1)"
)
BOAST: Final = (
    "UPDATE deliveries SET state = 'delivered', due_at = NULL, finished_at = now() WHERE state = 'exhausted'"
)


def test_deliveries_are_measured_beside_pgbench_and_leave_nothing(folder: Path) -> None:
    result = measured("deliver", folder, **SMALL)
    assert result["verified"] is True
    assert result["events"] == 5_000
    for name in ("spread", "hot"):
        assert result[name]["per_second"] > 0
        assert 0 < result[name]["p50_ms"] <= result[name]["p99_ms"]
        ratio = result[name]["per_second"] / result["pgbench_per_second"]
        assert result[name]["ratio_to_pgbench"] == pytest.approx(ratio, abs=0.01)
    assert result["memory_mb"]["engine"] > 10
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "reason"), [(TAMPERED, "charge"), (FORGET, "was posted"), (BOAST, "count as made")]
)
def test_where_anything_is_wrong_there_are_no_figures(folder: Path, spoil: str, reason: str) -> None:
    result = measured("deliver", folder, spoil=spoil, **SMALL)
    assert result["verified"] is False
    assert reason in result["reason"]
    assert result.keys() == {"verified", "wrong", "reason"}


def test_a_post_is_signed_with_the_secret_of_its_endpoint_or_not_at_all() -> None:
    secrets = {
        path: rules.secret_from(bytes([number]) * 32) for number, path in enumerate(("/mine", "/other"))
    }
    signed = webhooks.signed_headers("evt_1", b"{}", secrets=[secrets["/mine"]], at=clock.now())
    post = {"path": "/mine", "body": "{}", **signed}
    assert is_signed(post, secrets)
    for change in ({"path": "/other"}, {"body": "{ }"}, {"webhook-id": "evt_2"}, {"webhook-timestamp": "1"}):
        assert not is_signed({**post, **change}, secrets)

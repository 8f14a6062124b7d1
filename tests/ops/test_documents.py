"""What operators read is complete."""

import re
import subprocess
import sys
from pathlib import Path

import typer
from typer.main import get_command

from panelry import settings
from panelry.domain import money
from panelry.domain.orders.rules import refund_due
from panelry.ops import cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "operators"
INTERNAL = {"PANELRY_LIFELINE"}


def _read_settings() -> set[str]:
    source = Path(settings.__file__).read_text()
    switches = {
        f"PANELRY_{name}" for name in re.findall(r'_(?:switch|seconds|hours)\(source, "([A-Z_]+)"', source)
    }
    named = set(re.findall(r'"(PANELRY_[A-Z_]+|DATABASE_URL)"', source))
    return switches | (named - {"PANELRY_"}) - INTERNAL


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))
    assert documented == _read_settings()


def _names(group: object, path: str = "panelry") -> list[str]:
    commands = getattr(group, "commands", None)
    if commands is None:
        return [path]
    return [name for word, command in commands.items() for name in _names(command, f"{path} {word}")]


def test_every_command_is_documented_with_an_example() -> None:
    text = (DOCS / "commands.md").read_text()
    examples = set(re.findall(r"^\$ (panelry(?: [a-z]+)+)", text, re.MULTILINE))
    missing = [
        n for n in _names(get_command(cli.app)) if not any(f"{e} ".startswith(f"{n} ") for e in examples)
    ]
    assert missing == []


def test_help_does_not_wait_for_what_commands_need() -> None:
    program = "import sys; from panelry.ops import cli; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"django", "psycopg", "aiohttp", "uvicorn", "procrastinate"} & set(modules)
    assert typer.__name__ in modules


EXAMPLE = re.compile(
    r"^\| ([0-9,]+) at [0-9.]+ per 1,000 \| ([0-9.]+) \| \w+ \| ([0-9]+) \| .*?([0-9.]+) \| ([0-9.]+) \|$", re.MULTILINE
)  # fmt: skip


def test_the_examples_of_refunds_are_what_the_rule_says() -> None:
    examples = EXAMPLE.findall((ROOT / "docs" / "resellers" / "order-status.md").read_text())
    assert len(examples) == 6
    for quantity, charge, remains, kept, back in examples:
        micros = money.parse(charge)
        due = refund_due(charge=micros, quantity=int(quantity.replace(",", "")), remains=int(remains))
        assert (due, micros - due) == (money.parse(back), money.parse(kept)), (quantity, charge, remains)

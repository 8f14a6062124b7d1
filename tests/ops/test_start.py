"""The command line starts at once: it loads only what the command at hand needs."""

import subprocess
import sys

HEAVY = {"django", "psycopg", "psycopg_pool", "aiohttp", "uvicorn", "structlog", "cryptography"}
LISTING = """
import sys
from panelry.ops.cli import main
sys.argv = ["panelry", *sys.argv[1:], "--help"]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """Return the packages that `panelry … --help` has loaded when it ends."""
    program = [sys.executable, "-c", LISTING, *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    assert "Usage" in done.stdout
    return set(done.stderr.split())


def test_help_loads_neither_the_pages_nor_the_database_nor_the_network() -> None:
    assert "typer" in loaded()
    for command in ((), ("up",), ("bench", "place"), ("order", "show")):
        assert loaded(*command) & HEAVY == set(), command

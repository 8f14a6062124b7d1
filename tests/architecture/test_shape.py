"""What the import graph cannot see about the shape of the program."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "panelry"
FILES = sorted(path for path in SRC.rglob("*.py") if "migrations" not in path.parts)
AREAS = sorted(path.name for path in (SRC / "domain").iterdir() if (path / "__init__.py").exists())
BANNED_NAMES = {"utils", "common", "core", "helpers", "services", "managers"}
FRONT_PAGE = re.compile(rf"panelry\.domain\.({'|'.join(AREAS)})\.(\w+)")
WRITES = {
    "save",
    "create",
    "update",
    "delete",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
}


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_no_file_is_longer_than_400_lines_and_no_function_longer_than_70(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    for function in _functions(path):
        assert (function.end_lineno or 0) - function.lineno < 70, function.name


def test_no_file_or_folder_has_a_name_that_means_not_yet_named() -> None:
    names = {path.stem for path in SRC.rglob("*")}
    assert not names & BANNED_NAMES


def test_areas_are_used_only_through_their_front_page() -> None:
    for path in FILES:
        own = path.relative_to(SRC).parts[1:2] if path.is_relative_to(SRC / "domain") else ()
        for area, module in FRONT_PAGE.findall(path.read_text()):
            assert area in own, f"{path.relative_to(SRC)} reaches behind the front page: {area}.{module}"


def test_nothing_writes_with_the_orm_outside_operations() -> None:
    for path in (SRC / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in WRITES
            ):
                chain = ast.unparse(node.func.value)
                assert "objects" not in chain, f"{path.relative_to(SRC)}:{node.lineno} writes with the ORM"


def test_there_is_one_migration_leaf() -> None:
    numbers = [path.name[:4] for path in (SRC / "schema" / "migrations").glob("[0-9]*.py")]
    assert sorted(numbers) == [f"{n:04d}" for n in range(1, len(numbers) + 1)]


def test_models_and_migrations_agree() -> None:
    from panelry.settings import choose_django_settings

    choose_django_settings()
    import django
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    django.setup()
    known = MigrationLoader(None)
    changes = MigrationAutodetector(known.project_state(), ProjectState.from_apps(apps)).changes(
        graph=known.graph
    )
    assert "schema" not in changes


def test_no_file_names_a_registry_or_a_build_machine() -> None:
    root = SRC.parents[1]
    suspicious = re.compile(
        "pypi" + r"\.org|pythonhosted|registry\.npm|/root" + "/|/work" + "/|--index-url|--find-links"
    )
    names = ["requirements.lock", "requirements-dev.lock", "pyproject.toml", "Makefile"]
    for path in [root / name for name in names] + FILES:
        assert not suspicious.search(path.read_text()), path

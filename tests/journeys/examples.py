"""The calls of the documentation, run as their readers would: unchanged, each language in its own interpreter."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from api.documented import installed
from panelry.settings import child_environment

# Each driver runs whole programs in turn and writes down what they would have shown.
_JAVASCRIPT: Final = """
const shown = {};
for (const file of process.argv.slice(2)) {
  console.log = (answer) => { shown[file] = answer; };
  await import(file);
}
process.stdout.write(JSON.stringify(shown));
"""
_PYTHON: Final = """
import json, pathlib, sys
shown = {}
for file in sys.argv[1:]:
    exec(pathlib.Path(file).read_text(), {"__name__": "__main__", "print": lambda answer: shown.update({file: answer})})
sys.stdout.write(json.dumps(shown))
"""
_PHP: Final = """<?php
$shown = [];
foreach (array_slice($argv, 1) as $file) {
    $shown[$file] = (function () use ($file) {
        ob_start();
        include $file;
        ob_end_clean();
        return $answer;
    })();
}
echo json_encode($shown);
"""


def _driven(
    driver: str, file: str, *command: Callable[[], str]
) -> Callable[[list[Path], str], dict[str, Any]]:
    def run(programs: list[Path], key: str) -> dict[str, Any]:
        place = programs[0].with_name(file)
        place.write_text(driver)
        said = _run([*(part() for part in command), str(place), *map(str, programs)], key)
        return {Path(name).stem: answer for name, answer in json.loads(said).items()}

    return run


def _curl(programs: list[Path], key: str) -> dict[str, Any]:
    assert installed("curl")
    return {program.stem: json.loads(_run(["bash", str(program)], key)) for program in programs}


def _run(command: list[str], key: str) -> str:
    environment = child_environment(PANEL_KEY=key)
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=60, check=False
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


RUNNERS: Final[Mapping[str, tuple[str, Callable[[list[Path], str], dict[str, Any]]]]] = {
    "curl": ("sh", _curl),
    "javascript": ("mjs", _driven(_JAVASCRIPT, "driver.mjs", lambda: installed("node"))),
    "python": ("py", _driven(_PYTHON, "driver.py", lambda: sys.executable)),
    "php": ("php", _driven(_PHP, "driver.php", lambda: installed("php"))),
}
"""For each language the ending of its files, and what runs programs with a key and returns their answers by name."""


def assert_alike(answer: Any, shown: Any, where: str) -> None:
    """Assert that an answer has the shape of the one that the documentation shows.

    What is shown as a list is one: each of its rows is like one of those shown. Objects that are keyed by ids may have
    other ids; a time may not have come yet.
    """
    match shown:
        case list():
            assert isinstance(answer, list), where
            assert answer, f"{where}: nothing came that could be compared"
            for row in answer:
                assert any(_is_alike(row, one) for one in shown), (
                    f"{where}: {row} is like nothing that is shown"
                )
        case dict():
            assert isinstance(answer, dict), where
            if all(name.startswith("ord_") for name in shown):
                assert answer, where
                for value in answer.values():
                    assert_alike(value, next(iter(shown.values())), where)
            else:
                assert list(answer) == list(shown), where
                for name, value in shown.items():
                    assert_alike(answer[name], value, f"{where}.{name}")
        case str() if shown.endswith("Z"):
            assert answer is None or isinstance(answer, str), where
        case _:
            assert type(answer) is type(shown), where
            assert not isinstance(shown, str) or shown[:4] == answer[:4] or "_" not in shown[3:4], where


def _is_alike(answer: Any, shown: Any) -> bool:
    try:
        assert_alike(answer, shown, "")
    except AssertionError:
        return False
    return True

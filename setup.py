"""Compiles the translations, beside their sources and into wheels; all else about building stands in pyproject.toml."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithTranslations(build_py):
    """Makes each `.mo` that gettext reads from the `.po` that people write; neither is anything to install by hand."""

    def run(self) -> None:
        """Compile, then build: of wheels and of editable installations alike."""
        for source in Path(__file__).parent.glob("src/panelry/**/*.po"):
            with source.open("rb") as written, source.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(written))
        super().run()


setup(cmdclass={"build_py": BuildWithTranslations})

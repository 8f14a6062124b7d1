"""Every page of the documentation for developers, as readers see it."""

import page_list
import pytest
from looking import in_language, look, read_without_scripts
from visits import LANGUAGES, Reader


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", page_list.documentation())
def test_a_page_of_the_documentation_can_be_read_by_everyone(
    stranger: Reader, path: str, language: str
) -> None:
    look(stranger, in_language(path, language), language)


@pytest.mark.parametrize("path", page_list.documentation())
def test_a_page_of_the_documentation_needs_no_scripts(stranger: Reader, path: str) -> None:
    read_without_scripts(stranger, path)

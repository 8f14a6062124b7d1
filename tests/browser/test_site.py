"""Every public page but the documentation, as readers see it."""

import page_list
import pytest
from looking import in_language, look, read_without_scripts
from visits import LANGUAGES, Reader


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", page_list.site())
def test_a_public_page_can_be_read_by_everyone(stranger: Reader, path: str, language: str) -> None:
    look(stranger, in_language(path, language), language)


@pytest.mark.parametrize("path", page_list.site())
def test_a_public_page_needs_no_scripts(stranger: Reader, path: str) -> None:
    read_without_scripts(stranger, path)

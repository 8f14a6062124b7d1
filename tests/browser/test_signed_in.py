"""The doors and what is behind them, as customers see it."""

import page_list
import pytest
from looking import look, read_without_scripts
from visits import LANGUAGES, Reader


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", page_list.DOORS)
def test_a_door_can_be_found_by_everyone(stranger: Reader, path: str, language: str) -> None:
    look(stranger, path, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", page_list.PERSONAL)
def test_a_personal_page_can_be_read_by_everyone(customer: Reader, path: str, language: str) -> None:
    look(customer, path, language)


@pytest.mark.parametrize("path", page_list.PERSONAL)
def test_a_personal_page_needs_no_scripts(customer: Reader, path: str) -> None:
    read_without_scripts(customer, path)

"""What stands around every page: theme, languages, navigation; with a keyboard, without scripts, where it is narrow."""

import pytest
from visits import Reader

PAGE = "/sign-in/"
THEME = "button[data-theme-next]"


def test_the_theme_goes_from_the_systems_to_light_to_dark_and_stays(stranger: Reader) -> None:
    with stranger.visit(PAGE, theme="dark") as visit:
        root, button = visit.page.locator("html"), visit.page.locator(THEME).first
        seen = [root.get_attribute("data-theme")]
        for _ in range(2):
            button.click()
            seen.append(root.get_attribute("data-theme"))
        assert seen == [None, "light", "dark"]
        visit.page.reload()
        assert root.get_attribute("data-theme") == "dark"
        button.click()
        assert root.get_attribute("data-theme") is None


@pytest.mark.parametrize("scripts", [True, False])
def test_the_language_is_changed_from_the_menu_with_or_without_scripts(
    stranger: Reader, *, scripts: bool
) -> None:
    with stranger.visit("/styleguide/", scripts=scripts) as visit:
        visit.page.click("header [popovertarget=languages]")
        visit.page.click("#languages [value=ar]")
        visit.page.wait_for_load_state()
        assert visit.page.url == visit.home + "/styleguide/"
        assert visit.page.locator("html").get_attribute("dir") == "rtl"


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(customer: Reader) -> None:
    with customer.visit("/dashboard/orders/") as visit:
        visit.page.keyboard.press("Tab")
        skip = visit.page.locator(".skip")
        assert skip.evaluate("one => one === document.activeElement")
        assert skip.is_visible()
        visit.page.keyboard.press("Enter")
        assert visit.page.url.endswith("#main")


@pytest.mark.parametrize("scripts", [True, False])
def test_where_it_is_narrow_the_navigation_opens_from_a_button(customer: Reader, *, scripts: bool) -> None:
    with customer.visit("/dashboard/", width=360, scripts=scripts) as visit:
        orders = visit.page.locator("#side a[href='/dashboard/orders/']")
        assert not orders.is_visible()
        visit.page.click("[popovertarget=side]")
        orders.click()
        visit.page.wait_for_url("**/dashboard/orders/")


def test_a_page_that_does_not_exist_says_so_in_the_language_of_its_address(stranger: Reader) -> None:
    with stranger.visit("/ar/no/such/page/") as visit:
        assert visit.status == 404
        assert visit.page.locator("html").get_attribute("lang") == "ar"
        assert visit.barriers() == []


def test_what_an_answer_did_not_bring_along_is_not_run(stranger: Reader) -> None:
    with stranger.visit(PAGE) as visit:
        visit.page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.ran = true";
                document.head.append(script);
                document.body.setAttribute("style", "display: none");
            }"""
        )
        assert visit.page.evaluate("window.ran") is None
        assert any("Content Security Policy" in said for said in visit.complaints)


@pytest.mark.parametrize("path", ["/", "/ar/", "/developers/"])
def test_the_longest_name_and_a_wide_logo_leave_room_for_what_stands_beside_them(
    stranger: Reader, path: str
) -> None:
    with stranger.visit(path, width=360) as visit:
        visit.page.evaluate(
            """() => {
                const logo = new Image(1200, 72);
                logo.className = "logo";
                const brand = document.querySelector(".bar > .brand");
                brand.querySelector("span").textContent = "Sons & Daughters Media Reseller Panel Ltd";
                brand.querySelector("svg").replaceWith(logo);
            }"""
        )
        assert visit.overflow() <= 0
        assert visit.page.locator(".bar").evaluate("bar => bar.scrollWidth - bar.clientWidth") <= 0

"""An executed page in a real browser: offline, on a desktop and on a phone, light and dark.

Needs playwright (``pip install playwright``) and a Chromium of the system (Debian: ``apt-get install
chromium``); where one of them is missing, the tests are skipped and say so. No browser is downloaded.
"""

from __future__ import annotations

import re
import shutil

import pytest

from course_utils.publishing import pages, source_paths
from course_utils.publishing.source import read_source

STEM = "02_convolution"  # the most formulas, a widget, tables
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Text whose contrast with the ground behind it is too low, as "3.42 rgb(...) on rgb(...): the text".
LOW_CONTRAST = """
() => {
  const parse = colour => (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(x => x / 255)
    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + [0.2126, 0.7152, 0.0722][i] * x, 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.getClientRects().length) continue;
    seen += 1;
    const ink = parse(getComputedStyle(element).color), back = ground(element);
    const [low, high] = [light(ink), light(back)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast >= 4.5) continue;
    found.push(`${contrast.toFixed(2)} rgb(${ink}) on rgb(${back}): ${text.slice(0, 40)}`);
  }
  return [seen, found];
}
"""

# Code wider than its box that can't be scrolled to its end.
CUT_OFF = """
() => {
  const found = [];
  let wide = 0;
  for (const pre of document.querySelectorAll('pre')) {
    if (pre.scrollWidth <= pre.clientWidth + 1) continue;
    wide += 1;
    // A script could scroll what is hidden, a reader could not.
    if (!['auto', 'scroll'].includes(getComputedStyle(pre).overflowX)) found.push('hidden');
    pre.scrollLeft = 100000;
    if (pre.scrollLeft + pre.clientWidth < pre.scrollWidth - 1) found.push(pre.innerText.slice(0, 60));
    const edge = document.documentElement.clientWidth;
    if (pre.getBoundingClientRect().right > edge) found.push('beyond the edge');
  }
  return [wide, found];
}
"""

# How far a formula's letter ends below the line on which the text around it stands, in CSS pixels.
OFF_THE_BASELINE = """
formula => {
  const line = document.createElement('span'), mark = document.createElement('span');
  line.style.whiteSpace = 'nowrap';  // formula and mark stay together
  mark.style.cssText = 'display:inline-block;width:1px;height:0';
  formula.replaceWith(line);
  line.append(formula, mark);
  const letter = formula.querySelector('use').getBoundingClientRect();
  return letter.bottom - mark.getBoundingClientRect().bottom;
}
"""


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(browser, executed_solutions, tmp_path_factory) -> str:
    """The page of one executed notebook."""
    folder = tmp_path_factory.mktemp("pages")
    (path,) = [path for path in source_paths() if path.stem == STEM]
    page = pages.write_page(read_source(path), executed_solutions[STEM], folder)
    pages.write_index(source_paths(), folder)
    return page.as_uri()


@pytest.fixture
def opened(browser, address):
    """Opens the page in a window of some size and colour scheme.

    ``requests_elsewhere`` is what it asked for that is no file; it didn't get it.
    """
    contexts = []

    def open_page(width: int = 1300, height: int = 900, scheme: str = "light"):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=2
        )
        contexts.append(context)
        page = context.new_page()
        page.requests_elsewhere = []

        def route(route):
            if route.request.url.startswith("file:"):
                route.continue_()
            else:
                page.requests_elsewhere.append(route.request.url)
                route.abort()

        page.route("**/*", route)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


pytestmark = pytest.mark.xdist_group("02_convolution")


def test_nothing_is_asked_of_the_network_and_no_script_runs(opened):
    page = opened()
    page.wait_for_load_state("networkidle")
    assert page.requests_elsewhere == []
    assert page.locator("script").count() == 0


def test_no_formula_is_left_as_text_and_none_is_empty(opened):
    page = opened()
    texts = page.evaluate(
        """() => {
             const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
             while (walker.nextNode()) {
               const text = walker.currentNode;
               if (!text.parentElement.closest('code, pre')) texts.push(text.data);
             }
             return texts;
           }"""
    )
    assert [text for text in texts if re.search(r"\$[^$]+\$|\\(frac|sum|begin|text)\b", text)] == []
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('svg.formula')].map(svg =>
             Math.min(...[...svg.querySelectorAll('use')].map(u => u.getBoundingClientRect().height)
               .filter(h => h > 0), svg.getBoundingClientRect().width))"""
    )
    assert len(sizes) > 50 and min(sizes) > 0


def test_formulas_stand_on_the_line_of_the_text(opened):
    page = opened()
    letters = page.locator("p > svg.formula[aria-label=X]").element_handles()
    assert letters
    for letter in letters:
        assert abs(letter.evaluate(OFF_THE_BASELINE)) < 1


@pytest.mark.parametrize("width", [390, 1300])
def test_the_page_is_as_wide_as_the_window_and_all_code_can_be_reached(opened, width):
    page = opened(width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wide, cut_off = page.evaluate(CUT_OFF)
    assert cut_off == []
    assert wide > 0 if width == 390 else True


def test_figures_keep_their_labels_legible_on_a_phone_and_scroll(opened):
    figures = opened(390).evaluate(
        """() => [...document.querySelectorAll('.output_png img')].map(img => {
             const box = img.parentElement;
             box.scrollLeft = 100000;
             const end = img.getBoundingClientRect().right - box.getBoundingClientRect().right;
             const scrolls = ['auto', 'scroll'].includes(getComputedStyle(box).overflowX);
             return [img.getBoundingClientRect().width / Math.min(img.naturalWidth, 600), end, scrolls];
           })"""
    )
    assert figures
    for shown, beyond, scrolls in figures:
        assert shown >= 1 and beyond < 1 and scrolls


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(opened, scheme):
    page = opened(scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    seen, low = page.evaluate(LOW_CONTRAST)
    assert seen > 1000
    assert low == []


def test_links_are_told_apart_by_more_than_colour(opened):
    plain = opened().evaluate(
        """() => [...document.querySelectorAll('a:not(.skip)')]
             .filter(a => !getComputedStyle(a).textDecorationLine.includes('underline'))
             .map(a => a.innerText)"""
    )
    assert plain == []


def test_a_solution_opens_on_a_click_or_a_key(opened):
    page = opened()
    solution = page.locator("details.solution").first
    code = solution.locator("pre")
    assert not code.is_visible() and page.locator(".stub pre").first.is_visible()
    solution.locator("summary").click()
    assert code.is_visible()
    solution.locator("summary").press("Enter")
    assert not code.is_visible()


def test_the_contents_list_and_the_link_to_all_notebooks_lead_there(opened):
    page = opened(390, 800)
    page.locator(".contents li a").nth(2).click()
    heading = page.locator("h2").nth(2)
    assert abs(heading.evaluate("e => e.getBoundingClientRect().top")) < 40
    page.locator(".contents a[href='index.html']").click()
    assert page.locator("li a").first.get_attribute("href") == f"{STEM}.html"

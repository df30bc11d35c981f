"""The pages: nothing from elsewhere, formulas drawn, solutions folded, notebooks linked, contrast."""

from __future__ import annotations

import base64
import re
from itertools import product
from pathlib import Path

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.checking.outcome import OUTCOME_MIMETYPE
from course_utils.publishing import pages, run_notebook, solution_notebook, source_paths
from course_utils.publishing.formulas import FormulaError, Formulas
from course_utils.publishing.source import BuildError, read_source

RED_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
SHOW_PICTURE = (
    "import base64\nfrom IPython.display import Image, display\n"
    f'display(Image(data=base64.b64decode("{RED_PIXEL}"), format="png", alt="one <red> pixel"))'
)


def page_of(course, tmp_path, *cells) -> str:
    """The page of a notebook with these cells: markdown as text, or ready cells."""
    ready = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    notebook = new_notebook(cells=ready)
    return pages.write_page(read_source(course.source), notebook, tmp_path / "pages").read_text(
        encoding="utf-8"
    )


def body(text: str) -> str:
    return text[text.index("<body>") :]


def test_a_page_needs_nothing_from_elsewhere(course, tmp_path):
    widget = (
        "import ipywidgets\nfrom IPython.display import display\n"
        "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3), desc='epoch'): pass\n"
        "@ipywidgets.interact(level=(0, 9), way=['up', 'down'])\n"
        "def draw(level=4, way='down'):\n    print('level is', level)\n    "
        + SHOW_PICTURE.replace("\n", "\n    ")
    )
    notebook = new_notebook(cells=[new_code_cell(SHOW_PICTURE), new_code_cell(widget)])
    executed = run_notebook(notebook, strict=True, cwd=tmp_path)
    executed.cells.insert(0, new_markdown_cell("# Title\n\n$x^2$"))
    page = pages.write_page(read_source(course.source), executed, tmp_path / "pages")
    text = page.read_text(encoding="utf-8")
    assert page.name == "02_adding.html" and "<title>02 · Adding and doubling</title>" in text
    pictures = re.findall("<img[^>]*>", text)
    assert len(pictures) == 2
    for picture in pictures:
        assert 'alt="one &lt;red&gt; pixel"' in picture and "data:image/png;base64" in picture
        assert base64.b64decode(re.search('base64,([^"]*)', picture)[1].replace("\n", ""))[1:4] == b"PNG"
    assert "level is 4" in text and "epoch: 100% 3/3" in text
    assert "Interactive in the notebook; here: level 4, way down" in text
    assert not re.findall(r"<(?:script|link|iframe)\b|url\(|@import", text)
    assert not re.findall(r'\bsrc="(?!data:)[^"]*"', text)
    assert "widget-view+json" not in text


def test_a_widget_with_its_own_picture_says_that_it_was_one(course, tmp_path):
    code = (
        "import ipywidgets, matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
        "from course_utils.figures.sliders import SliderFigure\n"
        "SliderFigure(lambda k: (plt.figure(), f'k = {k}'), "
        "{'k': ipywidgets.IntSlider(3, description='kernel')})"
    )
    executed = run_notebook(new_notebook(cells=[new_code_cell(code)]), strict=True, cwd=course.root)
    text = pages.write_page(read_source(course.source), executed, tmp_path / "pages").read_text(
        encoding="utf-8"
    )
    assert "Interactive in the notebook; here: kernel 3" in text
    assert text.count("<img") == 1 and 'alt="k = 3"' in text


def test_formulas_are_drawn_in_texts_and_in_markdown_outputs(course, tmp_path):
    cell = new_code_cell("formula()", outputs=[new_output("display_data", data={"text/markdown": "$b_2$"})])
    text = body(
        page_of(course, tmp_path, "# $a$ in a title\n\nIn a line $x^2$, alone\n\n$$\\frac{1}{y}$$", cell)
    )
    assert re.findall(r'<svg aria-label="([^"]*)" class="formula"', text) == [
        "a",
        "x^2",
        r"\frac{1}{y}",
        "b_2",
    ]
    assert text.count('class="formula"') == 4 and text.count('class="display"') == 1
    assert not re.search(r"\$[^$]+\$", text)
    referred = set(re.findall(r'href="#(STIX\w+)"', text))
    defined = re.findall(r'<symbol id="(\w+)"', text)
    assert referred == set(defined) and len(defined) == len(referred)


def test_formulas_in_the_answer_of_a_check_are_drawn_and_its_values_stay(course, tmp_path):
    answer = "<div role='status'>It is $a &lt; b$.<pre>$x$ and $y$</pre></div>"
    data = {"text/html": answer, OUTCOME_MIMETYPE: {"exercise": "add", "status": "pass"}}
    other = new_output("display_data", data={"text/html": "<p>$5 or $6</p>"})
    cell = new_code_cell("check()", outputs=[new_output("display_data", data=data), other])
    text = body(page_of(course, tmp_path, cell))
    assert re.findall(r'<svg aria-label="([^"]*)" class="formula"', text) == ["a &lt; b"]
    assert "<pre>$x$ and $y$</pre>" in text and "$5 or $6" in text


def test_dollar_signs_in_code_are_no_formulas(course, tmp_path):
    code = new_code_cell("import re\nre.sub('(a)', r'$0 and $1', text)")
    text = body(
        page_of(course, tmp_path, "`$HOME` and `$PATH`\n\n```\n$0 $1\n```\n\nIt costs \\$5 or \\$6.", code)
    )
    assert "formula" not in text
    assert "$HOME" in text and "$0 $1" in text and "$5 or $6" in text and "$0 and $1" in text


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (r"\frac{1}", "can't be set"),
        (r"\unheardof x", r"\unheardof"),
        ("x_{", "can't be set"),
        ("世", "the font has no '世'"),
        (r"\left( x", "can't be set"),
    ],
)
def test_a_formula_that_cannot_be_set_stops_the_build_with_its_place(course, tmp_path, formula, reason):
    course.edit("What is half of 73?", f"What is half of 73? ${formula}$")
    with pytest.raises(BuildError) as caught:
        page_of(course, tmp_path, f"What is half of 73? ${formula}$")
    message = str(caught.value)
    line = course.line(f"# What is half of 73? ${formula}$")
    assert message.startswith(f"notebooks/solutions/02_adding.py:{line}: the formula {formula!r}")
    assert reason in message


def formulas_of(path: Path) -> list[tuple[str, bool]]:
    """All formulas of a notebook's texts, and whether each stands on a line of its own."""
    found: list[tuple[str, bool]] = []

    class Collecting(IPythonRenderer):
        def inline_math(self, body):
            found.append((body, False))
            return ""

        def block_math(self, body):
            found.append((body, True))
            return ""

    for cell in solution_notebook(path).cells:
        if cell.cell_type == "markdown":
            MarkdownWithMath(renderer=Collecting(escape=False)).render(cell.source)
    return found


@pytest.mark.parametrize("path", source_paths(), ids=lambda path: path.stem)
def test_every_formula_of_the_notebooks_can_be_set(path):
    formulas, failures = Formulas(), []
    for tex, display in formulas_of(path):
        try:
            formulas.svg(tex, display=display)
        except FormulaError as error:
            failures.append(str(error))
    assert not failures


def height(tex: str) -> float:
    return float(re.search(r"height:([\d.]+)em", Formulas().svg(tex, display=True))[1])


def test_brackets_are_as_tall_as_their_own_matrix():
    small, tall = r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \\ 3 \\ 4 \end{pmatrix}"
    width = lambda tex: float(re.search(r"width:([\d.]+)em", Formulas().svg(tex, display=True))[1])  # noqa: E731
    assert height(tall) > 1.5 * height(small)
    # A tall bracket is wider than a small one: side by side, the small one must have kept its own.
    assert width(small + tall) < width(tall + tall) - 0.1


def test_a_sign_is_set_closer_than_a_difference():
    width = lambda tex: float(re.search(r"width:([\d.]+)em", Formulas().svg(tex, display=False))[1])  # noqa: E731
    assert width("(-1, 0, 1)") < width("(0-1, 0, 1)") - width("0") - 0.2


@pytest.fixture
def adding(course, tmp_path) -> str:
    """The page of the small course's notebook, not run."""
    notebook = solution_notebook(course.source)
    return body(
        pages.write_page(read_source(course.source), notebook, tmp_path / "pages").read_text(encoding="utf-8")
    )


def without_tags(text: str) -> str:
    return re.sub("<[^>]*>", "", text)


def test_an_exercise_shows_the_stub_and_folds_the_solution_beneath(adding):
    stub, solution = re.findall(
        r'<div class="stub">(.*?)</div>\s*<details class="solution"><summary>[^<]*</summary>(.*?)</details>',
        adding,
        re.DOTALL,
    )[0]
    assert "raise NotImplementedError" in without_tags(stub)
    assert "result = second + first" not in without_tags(stub)
    assert "result = second + first" in without_tags(solution)
    assert without_tags(adding).count("result = second + first") == 1
    second = re.findall(r'<div class="stub">(.*?)</div>', adding, re.DOTALL)[1]
    assert without_tags(second).strip() == "half = ..."


def test_explanations_set_up_and_demonstrations_are_folded(adding):
    folded = re.findall(r"<details[^>]*><summary>([^<]*)</summary>(.*?)</details>", adding, re.DOTALL)
    texts = {summary: without_tags(inner) for summary, inner in folded}
    assert "Half of seventy-three" in texts["Solution, explained"]
    assert "a demonstration for the instructor" in texts["For instructors"]
    assert "course_utils" in texts["Set-up cell"]
    assert not re.search(r"<details[^>]*class=\"solution\"[^>]* open", adding)


@pytest.mark.parametrize("metadata", [{"tags": ["plot"]}, {"jupyter": {"source_hidden": True}}])
def test_the_code_of_a_figure_is_folded_and_the_figure_is_in_view(course, tmp_path, metadata):
    picture = new_output(
        "display_data", data={"image/png": RED_PIXEL}, metadata={"image/png": {"alt": "red"}}
    )
    text = body(page_of(course, tmp_path, new_code_cell("plot()", metadata=metadata, outputs=[picture])))
    folded = re.search(
        r"<details><summary>How this figure is drawn</summary>(.*?)</details>", text, re.DOTALL
    )
    assert "plot" in without_tags(folded[1]) and "<img" not in folded[1]
    assert "<img" in text


def test_a_page_has_its_contents_list(course, tmp_path):
    text = page_of(course, tmp_path, "# Title", "## One\n\n### Not listed", "## Two `x`", "## One")
    contents = re.search(r'<nav class="contents".*?</nav>', text, re.DOTALL)[0]
    targets = re.findall(r'href="#([^"]*)"', contents)
    assert targets == ["one", "two-x", "one-again"]
    assert all(f'id="{target}"' in text for target in targets)
    assert 'href="index.html"' in contents


def test_pages_link_their_neighbours_as_far_as_these_are_there(course, tmp_path):
    text = course.source.read_text(encoding="utf-8")
    others = []
    for number, topic in (("01", "before"), ("03", "later")):
        path = course.source.with_name(f"{number}_{topic}.py")
        path.write_text(
            text.replace("# 02 · Adding and doubling", f"# {number} · A & {topic}"), encoding="utf-8"
        )
        others.append(path)
    folder, sources = tmp_path / "pages", [others[0], course.source, others[1]]

    def links(stem):
        page = (folder / f"{stem}.html").read_text(encoding="utf-8")
        return set(re.findall(r'<a rel="(\w+)" href="([^"]*)">', page))

    for written in (sources[1], sources[0], sources[2]):  # in any order
        pages.write_page(read_source(written), new_notebook(), folder)
        pages.write_index(sources, folder)
    assert links("02_adding") == {("prev", "01_before.html"), ("next", "03_later.html")}
    assert links("01_before") == {("next", "02_adding.html")}
    assert "03 · A &amp; later →" in (folder / "02_adding.html").read_text(encoding="utf-8")
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<li><a href="([^"]*)"', index) == [f"{path.stem}.html" for path in sources]
    (folder / "03_later.html").unlink()
    pages.write_index(sources, folder)
    assert links("02_adding") == {("prev", "01_before.html")}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_of_text_can_be_read_on_every_ground_in_both_schemes():
    style = pages.STYLE.read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#\w{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 2 and schemes[0].keys() == schemes[1].keys()
    for colours in schemes:
        inks = set(colours) - {"back", "soft", "line"}
        for ink, ground in product(inks, ("back", "soft")):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground, colours)


@pytest.mark.parametrize("path", source_paths(), ids=lambda path: path.stem)
def test_every_figure_of_the_real_notebooks_has_a_text_alternative(path, executed_solutions, tmp_path):
    page = pages.write_page(read_source(path), executed_solutions[path.stem], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "<img" in text
    assert "No description has been provided" not in text
    nbformat.validate(executed_solutions[path.stem])

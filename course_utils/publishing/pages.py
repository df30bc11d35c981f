"""Executed notebooks as HTML pages that need no server, no kernel, no network and no script.

Figures, formulas and the style are inside the page. Widgets are shown as they stood at the end of the run.
Exercises show what the student starts from, with the solution folded beneath.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from course_utils.checking.outcome import OUTCOME_MIMETYPE
from course_utils.publishing.build import student_notebook, write_if_changed
from course_utils.publishing.formulas import FormulaError, Formulas
from course_utils.publishing.source import BuildError, Source, read_source

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
_CODE_OR_FORMULA = re.compile(r"<(pre|code)\b.*?</\1>|\$(?P<tex>[^$]+)\$", re.DOTALL)
_MODEL_REFERENCE = "IPY_MODEL_"
STYLE = Path(__file__).parents[1] / "assets" / "site.css"

# nbconvert's cells without their page. What an exercise shows comes from the student's notebook.
_CELLS = """\
{%- extends 'basic/index.html.j2' -%}
{%- block any_cell scoped -%}
{%- if 'solution' in cell.metadata.tags -%}
<details class="solution"><summary>Solution, explained</summary>{{ super() }}</details>
{%- elif 'instructor' in cell.metadata.tags -%}
<details><summary>For instructors</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{%- endblock -%}
{%- block input_group scoped -%}
{%- if cell.metadata.stub -%}
<div class="stub">{{ cell.metadata.stub | highlight_code }}</div>
<details class="solution"><summary>Solution, code</summary>{{ super() }}</details>
{%- elif cell.metadata.folded -%}
<details><summary>{{ cell.metadata.folded }}</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{%- endblock -%}
{%- block data_latex scoped -%}{{ output.data['text/latex'] | markdown2html }}{%- endblock -%}
"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""

_NOTEBOOK = """\
<a class="skip" href="#main">Skip to the text</a>
{glyphs}
<div class="columns">
<nav class="contents" aria-label="On this page"><p><a href="index.html">All notebooks</a></p>
<details open><summary>On this page</summary><ol>
{contents}
</ol></details></nav>
<main id="main">
{around}
{cells}
{around}
</main>
</div>"""

_AROUND = '<nav class="around" aria-label="Notebooks before and after">{links}</nav>'
_OLD_AROUND = re.compile(re.escape(_AROUND).replace(re.escape("{links}"), "[^\\n]*?"))


def write_page(source: Source, notebook: NotebookNode, folder: Path) -> Path:
    """Write an executed notebook as ``folder/NN_topic.html``; :func:`write_index` links it with the others.

    Raises:
        BuildError: naming the source and, where it stands there, the line of a formula that can't be set.
    """
    exporter = _Exporter(source)
    resources = {"metadata": {"path": str(source.path.parent.parent)}}
    cells, _ = exporter.from_notebook_node(_prepared(source, notebook, exporter), resources=resources)
    sections = [(anchor, text) for anchor, level, text in exporter.headings if level == 2]
    body = _NOTEBOOK.format(
        glyphs=exporter.formulas.glyphs(),
        contents="\n".join(f'<li><a href="#{anchor}">{text}</a></li>' for anchor, text in sections),
        around=_AROUND.format(links=""),
        cells=cells,
    )
    path = folder / f"{source.stem}.html"
    write_if_changed(path, _page(_title(source), body))
    return path


def write_index(sources: Sequence[Path], folder: Path) -> Path:
    """Write ``folder/index.html``, which links the pages of the folder, and link each with the next."""
    written = [source for source in map(read_source, sources) if (folder / f"{source.stem}.html").exists()]
    for place, source in enumerate(written):
        page = folder / f"{source.stem}.html"
        links = "".join(
            f'<a rel="{rel}" href="{other.stem}.html">{arrow.format(_title(other))}</a>'
            for rel, arrow, others in (
                ("prev", "← {}", written[max(place - 1, 0) : place]),
                ("next", "{} →", written[place + 1 : place + 2]),
            )
            for other in others
        )
        text = page.read_text(encoding="utf-8")
        write_if_changed(page, _OLD_AROUND.sub(lambda _: _AROUND.format(links=links), text))  # noqa: B023
    items = [
        f'<li><a href="{source.stem}.html">{_title(source)}</a>: {html.escape(source.builds)}</li>'
        for source in written
    ]
    title = "Segmentation in medical imaging: the notebooks"
    heading = "<h1>The notebooks, with solutions and results</h1>"
    path = folder / "index.html"
    write_if_changed(path, _page(title, f'<main class="index">{heading}<ul>{"".join(items)}</ul></main>'))
    return path


def stubs(source: Source) -> list[str]:
    """The exercise cells as students see them, in order."""
    cells = student_notebook(source.path).cells
    return [cell.source for cell in cells if "exercise" in cell.metadata.get("tags", ())]


class _Renderer(IPythonRenderer):
    """Markdown with drawn formulas and with headings that can be linked."""

    def __init__(self, exporter: _Exporter, **options) -> None:
        super().__init__(escape=False, embed_images=True, **options)
        self._exporter = exporter

    def inline_math(self, body: str) -> str:
        return self._exporter.formula(body)

    def block_math(self, body: str) -> str:
        return f'<span class="display">{self._exporter.formula(body, display=True)}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def heading(self, text: str, level: int, **attributes) -> str:
        anchor = self._exporter.add_heading(level, text)
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'


class _Exporter(HTMLExporter):
    """Exports the cells of one notebook; afterwards ``headings`` and ``formulas`` are what it met."""

    def __init__(self, source: Source) -> None:
        super().__init__(
            extra_loaders=[DictLoader({"cells.html.j2": _CELLS})],
            template_file="cells.html.j2",
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        self._source = source
        self.formulas = Formulas()
        self.headings: list[tuple[str, int, str]] = []  # anchor, level, HTML

    def default_filters(self):
        yield from super().default_filters()
        yield "markdown2html", self._html_of_markdown

    def _html_of_markdown(self, text: str) -> str:
        path = str(self._source.path.parent.parent)
        return MarkdownWithMath(renderer=_Renderer(self, path=path)).render(text)

    def formula(self, tex: str, display: bool = False) -> str:
        try:
            return self.formulas.svg(tex, display=display)
        except FormulaError as error:
            first = tex.strip().split("\n")[0]
            lines = (line for cell in self._source.cells for line in cell.lines)
            number = next((line.number for line in lines if first in line.text), 1)
            raise BuildError(self._source.path, number, str(error)) from error

    def html_of_answer(self, text: str) -> str:
        """A check's answer with its formulas drawn; code and values stay as they are."""

        def drawn(found: re.Match) -> str:
            return self.formula(html.unescape(found["tex"])) if found["tex"] else found[0]

        return _CODE_OR_FORMULA.sub(drawn, text)

    def add_heading(self, level: int, text: str) -> str:
        words = re.findall(r"[a-z0-9]+", html.unescape(re.sub(r"<[^>]*>", "", text)).lower())
        anchor = "-".join(words) or "section"
        while any(anchor == other for other, *_ in self.headings):
            anchor += "-again"
        self.headings.append((anchor, level, text))
        return anchor


def _prepared(source: Source, notebook: NotebookNode, exporter: _Exporter) -> NotebookNode:
    """With still widgets, formulas in the checks' answers, and for each cell what the template asks for."""
    notebook = with_still_widgets(notebook)
    tags_of = [cell.metadata.setdefault("tags", []) for cell in notebook.cells]
    waiting = iter(stubs(source) if any("exercise" in tags for tags in tags_of) else ())
    for cell, tags in zip(notebook.cells, tags_of):
        if "exercise" in tags:
            cell.metadata.stub = next(waiting)
        elif "bootstrap" in tags:
            cell.metadata.folded = "Set-up cell"
        elif "plot" in tags or cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata.folded = "How this figure is drawn"
        for output in cell.get("outputs", ()):
            if OUTCOME_MIMETYPE in output.get("data", {}):
                output.data["text/html"] = exporter.html_of_answer(output.data["text/html"])
    return notebook


def _title(source: Source) -> str:
    return html.escape(f"{source.number} · {source.title}")


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=title, style=STYLE.read_text(encoding="utf-8"), body=body)


def with_still_widgets(notebook: NotebookNode) -> NotebookNode:
    """A copy of an executed notebook in which each widget is replaced by what it showed last."""
    notebook = copy.deepcopy(notebook)
    state = notebook.metadata.pop("widgets", {}).get(_WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [still for output in cell.outputs for still in _still(output, state)]
    return notebook


def _still(output: NotebookNode, state: dict) -> Iterator[NotebookNode]:
    view = output.get("data", {}).get(_WIDGET_VIEW)
    if view is None or view["model_id"] not in state:
        yield output
        return
    labels, outputs = _contents(view["model_id"], state)
    if "image/png" in output["data"]:  # a widget that brings its own still picture
        still = copy.deepcopy(output)
        del still["data"][_WIDGET_VIEW]
        outputs = [still]
    if outputs:
        here = f"; here: {html.escape(', '.join(labels))}" if labels else ""
        yield _display("text/html", f'<p class="still">Interactive in the notebook{here}</p>')
    elif labels:  # a progress bar, a text
        yield _display("text/plain", " ".join(labels))
    yield from outputs


def _display(mimetype: str, text: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", data={mimetype: text})


def _contents(model_id: str, state: dict) -> tuple[list[str], list[NotebookNode]]:
    """What the controls of a widget and of its children say, in their order, and their captured outputs."""
    model = state[model_id]["state"]
    description, value = _plain(model.get("description") or ""), model.get("value")
    if model.get("_options_labels") and model.get("index") is not None:  # a drop-down, buttons
        value = model["_options_labels"][model["index"]]
    # A number without a name, such as that of a progress bar, says nothing; a text (tqdm's, a label's) does.
    is_shown = isinstance(value, str) or (description and isinstance(value, (int, float)))
    words = [text for text in (description, _plain(str(value)) if is_shown else "") if text]
    labels = [" ".join(words)] if words else []
    outputs = [nbformat.from_dict(output) for output in model.get("outputs", [])]
    for child in model.get("children", []):
        child_labels, child_outputs = _contents(child.removeprefix(_MODEL_REFERENCE), state)
        labels += child_labels
        outputs += child_outputs
    return labels, outputs


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())

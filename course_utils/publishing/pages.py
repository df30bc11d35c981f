"""Executed notebooks as HTML pages that need no server and no kernel.

Figures are inside the page. Widgets are shown as they stood at the end of the run, so that no page needs a
widget manager from the network. Only formulae are set by MathJax from the network; without it they appear as
TeX.
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
from nbformat import NotebookNode

from course_utils.publishing.build import write_if_changed
from course_utils.publishing.source import Source, read_source

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
_MODEL_REFERENCE = "IPY_MODEL_"

# nbconvert's page without require.js, widget manager and mermaid, all of which come from the network. MathJax
# loads beside the page instead of before it, so that a page opens at once where there is no network. The text
# alternatives of figures, which the template forgets, are kept.
_TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- from 'mathjax.html.j2' import mathjax -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}
{{ mathjax(resources.mathjax_url) | replace('<script src=', '<script async src=') }}
{%- endblock -%}
{%- block data_png scoped -%}
{%- set alt = output | get_metadata('alt', 'image/png') -%}
{%- if alt -%}
{{ super() | replace('<img src=', '<img alt="' ~ alt | escape_html ~ '" src=') }}
{%- else -%}
{{ super() }}
{%- endif -%}
{%- endblock -%}
"""

_INDEX = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Segmentation in medical imaging: the notebooks</title>
<style>body {{ font: 1.1rem/1.6 sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>The notebooks, with solutions and results</h1>
<ul>
{items}
</ul>
</body>
</html>
"""


def write_page(source: Source, notebook: NotebookNode, folder: Path) -> Path:
    """Write an executed notebook as ``folder/NN_topic.html``."""
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"page.html.j2": _TEMPLATE})],
        template_file="page.html.j2",
        embed_images=True,
    )
    title = f"{source.number} · {source.title}"
    resources = {"metadata": {"name": title, "path": str(source.path.parent.parent)}}
    text, _ = exporter.from_notebook_node(with_still_widgets(notebook), resources=resources)
    path = folder / f"{source.stem}.html"
    write_if_changed(path, text)
    return path


def write_index(sources: Sequence[Path], folder: Path) -> Path:
    """Write ``folder/index.html``, which links the pages that are in the folder."""
    items = []
    for source in map(read_source, sources):
        if (folder / f"{source.stem}.html").exists():
            title = html.escape(f"{source.number} · {source.title}")
            items.append(f'<li><a href="{source.stem}.html">{title}</a>: {html.escape(source.builds)}</li>')
    path = folder / "index.html"
    write_if_changed(path, _INDEX.format(items="\n".join(items)))
    return path


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
    if "image/png" in output["data"]:  # a widget that brings its own still picture
        still = copy.deepcopy(output)
        del still["data"][_WIDGET_VIEW]
        yield still
        return
    labels, outputs = _contents(view["model_id"], state)
    if outputs:
        labels.append("(interactive in the notebook)")
    if labels:
        yield nbformat.v4.new_output("display_data", data={"text/plain": " ".join(labels)})
    yield from outputs


def _contents(model_id: str, state: dict) -> tuple[list[str], list[NotebookNode]]:
    """Texts and captured outputs of a widget and its children, in their order."""
    model = state[model_id]["state"]
    description, value = _plain(model.get("description") or ""), model.get("value")
    # A number without a name, such as that of a progress bar, says nothing; a text (tqdm's, a label's) does.
    is_shown = isinstance(value, str) or (description and isinstance(value, (int, float)))
    labels = [text for text in (description, _plain(str(value)) if is_shown else "") if text]
    outputs = [nbformat.from_dict(output) for output in model.get("outputs", [])]
    for child in model.get("children", []):
        child_labels, child_outputs = _contents(child.removeprefix(_MODEL_REFERENCE), state)
        labels += child_labels
        outputs += child_outputs
    return labels, outputs


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())

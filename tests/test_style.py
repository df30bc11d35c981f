"""What the linter can't say about the notebooks' sources."""

from __future__ import annotations

import pytest

from course_utils.publishing import source_paths


@pytest.mark.parametrize("path", source_paths(), ids=lambda path: path.stem)
def test_lines_are_short_but_for_rows_of_tables(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if len(line) > 110 and not line.startswith("# |")] == []

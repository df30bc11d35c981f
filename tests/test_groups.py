"""The tests of one notebook run in one worker: pytest and pytest-xdist have to agree on groups."""

from __future__ import annotations

import os
import re
import subprocess
import sys

TESTS = """
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_number(number):
    pass
"""


def test_marked_tests_stay_in_one_worker(tmp_path):
    (tmp_path / "test_grouped.py").write_text(TESTS, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-v", "test_grouped.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    workers = re.findall(r"\[(gw\d)\].*PASSED", run.stdout)
    assert len(workers) == 6 and len(set(workers)) == 1, run.stdout

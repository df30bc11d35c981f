"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from course_utils.files import replacing


def test_the_name_appears_when_the_file_is_complete(tmp_path):
    path = tmp_path / "new" / "report.json"
    with replacing(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, failure):
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    with pytest.raises(type(failure)), replacing(path) as file:
        file.write(b"new")
        raise failure
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

"""Writing files so that nothing is ever lost."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write that takes the name ``path`` only when it is complete.

    At every moment either the old file or the new one is there, whole: also if the process is killed, the disk is full or
    the power fails. Missing folders are made. If the block raises, the old file stays and nothing is left behind; a
    killed process leaves a hidden file ``.name.*.part`` in the same folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the name changes, or a power cut could leave an empty file
        os.chmod(temporary, 0o644)  # mkstemp's files are readable by their owner alone
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

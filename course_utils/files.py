"""Writing files so that nothing is ever lost."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write that takes the name ``path`` only when it is complete.

    At every moment either the old file or the new one is there, whole: also if the process is killed, the
    disk is full or the power fails. Missing folders are made. If the block raises, the old file stays and
    nothing is left behind; a killed process leaves a hidden file ``.name.*.part`` in the same folder. Who may
    read the file is decided by the umask, as for any new file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")  # no other process has this name
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the name changes, or a power cut could leave an empty file
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

"""Where the running notebooks are: a line that is refreshed on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

_REFRESH = 0.5  # seconds, on a terminal
_INTERVAL = 30.0  # seconds, in a file or a log


class Progress:
    """Prints how far each notebook is, how long it has run, and how long it will still take.

    Args:
        expected: for each notebook the seconds that it took the last time, or None.
        stream: where to print; by default stdout. Only a terminal gets a line that is refreshed.
        clock: seconds, for example ``time.monotonic``.
    """

    def __init__(
        self,
        expected: Mapping[str, float | None],
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected = expected
        self._stream = stream or sys.stdout
        self._clock = clock
        self._running: dict[str, tuple[float, str]] = {}  # since when, where
        self._refreshes = self._stream.isatty()
        self._last = clock()

    def report(self, name: str, place: str) -> None:
        """Note that a notebook is at ``place``, such as "cell 12 of 66"."""
        since, _ = self._running.get(name, (self._clock(), ""))
        self._running[name] = (since, place)

    def done(self, name: str, text: str) -> None:
        """Print that a notebook is done, and how."""
        self._running.pop(name, None)
        self.clear()
        print(f"{name}: {text}", file=self._stream, flush=True)

    def lines(self) -> list[str]:
        """One line for each notebook that runs."""
        lines = []
        for name, (since, place) in self._running.items():
            elapsed = self._clock() - since
            line = f"{name}: {place}, {_minutes(elapsed)}"
            expected = self._expected.get(name)
            if expected is not None and expected > elapsed:
                line += f", about {_minutes(expected - elapsed)} left"
            lines.append(line)
        return lines

    def show(self) -> None:
        """Refresh the line of a terminal; elsewhere print the lines if the last ones are old."""
        if self._refreshes:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r\x1b[K" + " | ".join(self.lines())[:width])
            self._stream.flush()
        elif self._clock() - self._last >= _INTERVAL:
            self._last = self._clock()
            for line in self.lines():
                print(f"    {line}", file=self._stream, flush=True)

    def clear(self) -> None:
        """Take the line away that is refreshed."""
        if self._refreshes:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    async def keep_showing(self) -> None:
        """Show again and again, until cancelled."""
        try:
            while True:
                await asyncio.sleep(_REFRESH)
                self.show()
        finally:
            self.clear()


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

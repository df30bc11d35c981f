"""Mutants that pass because they are right: exercise -> the change -> why it changes nothing that is asked."""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {}

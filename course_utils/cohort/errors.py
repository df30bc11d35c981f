"""What is raised when data cannot be used."""

from __future__ import annotations


class CohortError(ValueError):
    """Something is wrong with a case or a cohort. The message names it and says what to do."""

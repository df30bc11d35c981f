"""The exercises of each notebook, one module a topic: oracle, hints, and why each wrong answer is wrong."""

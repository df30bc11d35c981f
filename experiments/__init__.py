"""Runs that are too long for a notebook: the same training with other seeds, and what stays true of it.

    python -m experiments.03_upsampling

from the repository's root writes ``experiments/results/03_upsampling.json``. The prose of notebook 03 quotes
that file, its figures draw it, and ``tests/topics/test_upsampling.py`` compares the two. An interrupted run
goes on where it stopped.

==============  ========================================================================================
``record``        results as JSON, with date, versions and seconds; pieces that are computed once
``definitions``   functions and classes of a notebook, so that an experiment runs what students see
==============  ========================================================================================
"""

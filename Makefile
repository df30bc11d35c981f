# Every target sets up what it needs: .venv, then what follows. A second call does nothing twice.
# make run PYTHON=/path/to/python chooses the Python; otherwise scripts/setup.sh looks for the newest that will do.

PY = .venv/bin/python
COURSE = $(PY) -m course_utils
# One worker a core, one thread each; all tests of a notebook in one worker, the longest notebooks first.
SIDE_BY_SIDE = -n logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

help:
	@echo "make run        run the whole course, solutions and lab; pages in build/, the lab's table at the end"
	@echo "make test       run all tests"
	@echo "make quick      run the tests that execute no notebook"
	@echo "make check      linter, formatter, and whether the notebooks agree with their sources"
	@echo "make lab        open JupyterLab on copies of the students' notebooks, in work/"
	@echo "make notebooks  regenerate the students' notebooks and the README's table from notebooks/solutions/"
	@echo "make doctor     say what works here and what does not"
	@echo "make setup      only make .venv and install the packages"
	@echo "make clean      delete build/ and caches; keeps .venv, the data in data/, the trainings in runs/ and work/"

setup:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

run: setup
	$(PY) data/download.py synthetic
	$(COURSE) run

test: setup
	$(PY) data/download.py synthetic
	$(PY) -m pytest -q $(SIDE_BY_SIDE) --durations=15

quick: setup
	$(PY) -m pytest -q $(SIDE_BY_SIDE) -m "not slow"

check: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(COURSE) notebooks --check

lab: setup
	$(COURSE) lab

notebooks: setup
	$(COURSE) notebooks

doctor: setup
	$(COURSE) doctor

clean:
	rm -rf build .pytest_cache .ruff_cache segmentation_course.egg-info
	find . -name .venv -prune -o -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help setup run test quick check lab notebooks doctor clean

# Every target sets up what it needs: .venv, then what follows. A second call does nothing twice.
# make run PYTHON=/path/to/python chooses the Python; otherwise scripts/setup.sh looks for one.

COURSE = .venv/bin/python -m course_utils

help:
	@echo "make run        run the whole course, solutions and lab; pages in build/, the lab's table at the end"
	@echo "make test       run the tests"
	@echo "make lab        open JupyterLab on the students' notebooks"
	@echo "make notebooks  regenerate the students' notebooks and the README's table from notebooks/solutions/"
	@echo "make doctor     say what works here and what does not"
	@echo "make setup      only make .venv and install the packages"
	@echo "make clean      delete build/ and caches; keeps .venv, the data in data/ and the trainings in runs/"

setup:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

run: setup
	.venv/bin/python data/download.py synthetic
	$(COURSE) run

test: setup
	.venv/bin/python -m pytest -q

lab: setup
	.venv/bin/python -m jupyterlab notebooks

notebooks: setup
	$(COURSE) notebooks

doctor: setup
	$(COURSE) doctor

clean:
	rm -rf build .pytest_cache segmentation_course.egg-info
	find . -name .venv -prune -o -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help setup run test lab notebooks doctor clean

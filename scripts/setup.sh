#!/bin/sh
# Makes .venv and installs the course into it: the exact versions of requirements.txt, and the package itself
# as a link to this folder. Called by make; a second call does nothing. PYTHON names the Python to use; otherwise
# the newest is taken that the course accepts. Here that Python is found; setup_environment.py does the rest.

set -eu
cd "$(dirname "$0")/.."

explain() {
    printf '%s\n' "$@" >&2
}

# Prints the first Python that can make the environment; says what is wrong with each if none can.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.14 python3.13 python3.12 python3.11 python3 python
    fi
    problems=
    for candidate do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if problem=$("$candidate" scripts/setup_check.py 2>&1); then
            printf '%s\n' "$candidate"
            return
        fi
        case $problem in
            "Disk: "*) explain "$problem"; exit 1 ;;
            "Python "*) ;;
            *) continue ;;  # not a Python that runs: a launcher without a version behind it, for example
        esac
        case $problems in
            *"$problem"*) ;;  # the same Python under another name
            *) problems="$problems  $problem
" ;;
        esac
    done
    if [ -n "${PYTHON:-}" ]; then
        explain "PYTHON=$PYTHON can't be used."
    else
        explain "No Python on this machine can run the course."
    fi
    if [ -n "$problems" ]; then
        printf '%s' "$problems" >&2
    fi
    explain "Install Python 3.13 (3.11 to 3.14 will do):" \
        "  Debian, Ubuntu:  sudo apt-get install python3 python3-venv" \
        "  macOS:           brew install python@3.13" \
        "  anywhere:        conda env create -f environment.yml (see the first lines of that file)" \
        "Then call make again; to choose one yourself: make run PYTHON=/path/to/python3.13"
    exit 1
}

# Among the installed packages lies a file that says when they were installed: gone with them, it says nothing.
for stamp in .venv/lib/python3.*/site-packages/course_installed.txt; do
    if [ -e "$stamp" ] && [ "$stamp" -nt requirements.txt ] && [ "$stamp" -nt pyproject.toml ] &&
            [ ! -e .venv/.unfinished ] && .venv/bin/python -c "" 2>/dev/null; then
        exit 0
    fi
done

# What Python brings along, in an environment that is there already, will do to install into it.
if [ ! -e .venv/.unfinished ] && .venv/bin/python scripts/setup_check.py --version-only >/dev/null 2>&1; then
    base=.venv/bin/python
else
    base=$(find_python)
fi
exec "$base" scripts/setup_environment.py

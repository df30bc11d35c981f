#!/bin/sh
# Makes .venv and installs the course into it: the exact versions of requirements.txt, and the package itself
# as a link to this folder. Called by make; a second call does nothing. PYTHON names the Python to use.
#
# .venv/.unfinished is there while something is being installed; a call that finds it starts afresh.

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
        set -- python3.11 python3.12 python3.13 python3.10 python3 python
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
    explain "Install Python 3.11 (3.10 to 3.13 will do):" \
        "  Debian, Ubuntu:  sudo apt-get install python3 python3-venv" \
        "  macOS:           brew install python@3.11" \
        "  anywhere:        conda env create -f environment.yml (see the first lines of that file)" \
        "Then call make again; to choose one yourself: make run PYTHON=/path/to/python3.11"
    exit 1
}

if [ -d .venv ]; then
    if [ -e .venv/.unfinished ]; then
        explain "Making .venv afresh: the last set-up was interrupted."
        rm -rf .venv
    elif ! .venv/bin/python scripts/setup_check.py --version-only >/dev/null 2>&1; then
        explain "Making .venv afresh: its Python is gone, or is not one of 3.10 to 3.13."
        rm -rf .venv
    elif [ -e .venv/.installed ] && [ .venv/.installed -nt requirements.txt ] &&
            [ .venv/.installed -nt pyproject.toml ]; then
        exit 0
    fi
fi

if [ ! -d .venv ]; then
    base=$(find_python)
    echo "Making .venv with $base ..."
    mkdir .venv
    : > .venv/.unfinished
    "$base" -m venv .venv
fi

echo "Installing the packages of requirements.txt into .venv (some minutes, only once) ..."
: > .venv/.unfinished
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt ||
        ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .; then
    explain "The installation failed; the lines above say why. Mostly it is the network or a full disk." \
        "Call make again when that is mended: it goes on from what is already downloaded."
    exit 1
fi
rm .venv/.unfinished
: > .venv/.installed

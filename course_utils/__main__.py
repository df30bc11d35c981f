"""The course's one command: ``python -m course_utils COMMAND``; ``--help`` lists the commands."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from course_utils import paths, threads


def doctor(arguments: argparse.Namespace) -> int:
    """Say what works on this machine and what does not, in lines to paste into a bug report."""
    from course_utils import doctor as examination

    return 0 if examination.report() else 1


def notebooks(arguments: argparse.Namespace) -> int:
    """Regenerate notebooks, written solutions and the README's table from notebooks/solutions/."""
    from course_utils import publishing

    if arguments.check:
        problems = publishing.check_all()
        for problem in problems:
            print(problem)
        print("The notebooks agree with their sources." if not problems else f"{len(problems)} problems.")
        return 1 if problems else 0

    try:
        if arguments.measure:
            print(publishing.measures_report())
            return 0
        worked_in = [] if arguments.force else publishing.worked_in(paths.repository_root() / "notebooks")
        if worked_in:
            print(
                f"Nothing was written: somebody worked in {', '.join(worked_in)}, and that work would be "
                "lost. Keep it under another name, outside notebooks/; then use --force.",
                file=sys.stderr,
            )
            return 1
        changed = publishing.write_all()
    except (publishing.BuildError, publishing.DamagedNotebook) as error:
        print(error, file=sys.stderr)
        return 1
    names = ", ".join(path.name for path in changed)
    print(f"Wrote {names}." if changed else "Everything was up to date.")
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Run solution notebooks, all or those named, and write them as pages into build/."""
    from course_utils import publishing

    try:
        publishing.run_all(arguments.names or None, output=paths.build_dir(), again=arguments.again)
    except (publishing.BuildError, publishing.NotebookError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def lab(arguments: argparse.Namespace) -> int:
    """Copy the students' notebooks into work/, where there is no copy yet, and open them in JupyterLab."""
    from course_utils import workplace

    return workplace.open_lab()


def make_parser() -> argparse.ArgumentParser:
    """The command line: one subcommand a function above, which is its ``run``."""
    parser = argparse.ArgumentParser(prog="python -m course_utils", description="The course's one command.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    _add(commands, doctor)

    command = _add(commands, notebooks)
    command.add_argument("--check", action="store_true", help="write nothing; say what is out of step")
    command.add_argument("--force", action="store_true", help="overwrite notebooks in which somebody worked")
    command.add_argument(
        "--measure",
        action="store_true",
        help="write nothing; print minutes, words, lines, and rules that are broken",
    )

    command = _add(commands, run)
    command.add_argument("names", nargs="*", metavar="NN", help="numbers or names of notebooks; default: all")
    command.add_argument(
        "--again", action="store_true", help="run even what has not changed since its last run"
    )

    _add(commands, lab)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or another after a message that says what to do."""
    parser = make_parser()
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        parser.print_help()
        return 2
    arguments = parser.parse_args(argv)
    threads.wait_passively()
    try:
        return arguments.run(arguments)
    except paths.PathError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(
            f"The disk is full: make room ({error.filename or paths.build_dir()}), then call again.",
            file=sys.stderr,
        )
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "course_utils":
            raise
        print(
            f"{error.name} is not installed in {sys.executable}: run `make setup`, then use "
            ".venv/bin/python -m course_utils",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _add(
    commands: argparse._SubParsersAction, function: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    text = function.__doc__
    summary = text[0].lower() + text[1:].rstrip(".")
    command = commands.add_parser(function.__name__, help=summary, description=text)
    command.set_defaults(run=function)
    return command


if __name__ == "__main__":
    sys.exit(main())

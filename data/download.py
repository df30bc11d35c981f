"""Get data for the course.

    python data/download.py synthetic      # 40 synthetic subjects, offline, about a minute

Run ``python data/download.py COMMAND --help`` for the options of a command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # works before the package is installed

from course_utils import paths  # noqa: E402


def synthetic(arguments: argparse.Namespace) -> None:
    """Make the synthetic cohort."""
    from course_utils.phantom import write_cohort

    out = arguments.out or paths.data_dir() / "synthetic"
    cases = write_cohort(out, arguments.subjects, arguments.spacing, arguments.seed, arguments.workers)
    print(f"{len(cases)} subjects at {arguments.spacing:g} mm in {out}")


def _folder(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError as error:  # "~somebody", and there is no such user
        raise argparse.ArgumentTypeError(f"{name!r}: {error}") from error


def make_parser() -> argparse.ArgumentParser:
    """The command line: one subcommand a data set, each with its function as ``run``."""
    parser = argparse.ArgumentParser(description="Get data for the course.")
    commands = parser.add_subparsers(title="data sets", dest="command", required=True)

    command = commands.add_parser(
        "synthetic",
        help="make the synthetic cohort, offline, in the folder layout of BraTS",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--subjects", type=int, default=40, help="how many subjects the folder is to have")
    command.add_argument(
        "--spacing", type=float, default=2.0, help="edge of a voxel, 1 to 4 mm; BraTS has 1 mm"
    )
    command.add_argument(
        "--seed", type=int, default=0, help="which cohort: the same seed gives the same voxels"
    )
    command.add_argument("--out", type=_folder, help="folder; data/synthetic when not given")
    command.add_argument("--workers", type=int, help="processes; all available cores when not given")
    command.set_defaults(run=synthetic)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command. The exit status is 0, or 1 with a message on stderr that says what to do."""
    arguments = make_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What an install without extras brings.  python -m benchmarks.install [--json]; exits 1 above a bar."""

import argparse
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

from benchmarks.report import Row, at_most, finish, say

ROOT = Path(__file__).parent.parent
PACKAGES, MEGABYTES = 75, 750
SHOWN = 5  # the largest folders


def megabytes(paths: Iterable[Path]) -> float:
    """What files and folders take on disk, as `du -m` counts it."""
    return sum(path.lstat().st_blocks for path in paths) * 512 / 2**20


def tree(path: Path) -> list[Path]:
    """A file or a folder, and all that is in it."""
    return [path, *path.rglob("*")]


def checkout(folder: Path) -> Path:
    """A copy of what pip needs: it would leave its build behind in the checkout itself."""
    copytree(ROOT / "openflywheel", folder / "openflywheel", ignore=ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        copy(ROOT / name, folder)
    return folder


def measure(folder: Path) -> list[Row]:
    """Install into a new virtual environment; its own pip and setuptools do not count."""
    say("making a virtual environment")
    venv.create(folder / "venv", with_pip=True)
    [site] = folder.glob("venv/lib/python*/site-packages")
    before, bare = len(list(distributions(path=[str(site)]))), megabytes(tree(site))
    say("installing")
    pip = [str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, str(checkout(folder / "checkout"))], check=True, stdout=sys.stderr)
    after, whole = len(list(distributions(path=[str(site)]))), megabytes(tree(site))
    largest = sorted(((megabytes(tree(p)), p.name) for p in site.iterdir()), reverse=True)[:SHOWN]
    return [
        at_most("packages", after - before, PACKAGES, "packages"),
        at_most("size", whole - bare, MEGABYTES, "MB"),
        Row(row="size with pip and setuptools", value=whole, unit="MB"),
        *(Row(row=f"of this {name}", value=value, unit="MB") for value, name in largest),
    ]


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    finish("install", rows, 0, as_json=args.json)
    sys.exit(any(row.holds is False for row in rows))


if __name__ == "__main__":
    main()

"""The size budget: small is a budget, not a mood.

python -m benchmarks.size [--json]; exits 1 when the budget is broken.
"""

import argparse
import ast
import statistics
import sys
from pathlib import Path

from benchmarks.report import Row, at_least, at_most, finish

ROOT = Path(__file__).parent.parent


def lines(path: Path) -> int:
    """Lines that are not blank."""
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def functions(path: Path) -> list[int]:
    """Length of every function of a file, its docstring not counted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [_length(node) for node in ast.walk(tree) if isinstance(node, kinds)]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documented = ast.get_docstring(node) is not None and len(node.body) > 1
    start = (node.body[0].end_lineno or 0) + 1 if documented else node.lineno
    return (node.end_lineno or start) - start + 1


def measure() -> list[Row]:
    """The budget's rows."""
    code = [p for folder in ("openflywheel", "benchmarks") for p in sorted((ROOT / folder).rglob("*.py"))]
    tests = sorted((ROOT / "tests").rglob("*.py"))
    lengths = sorted(n for p in code for n in functions(p))
    files = [lines(p) for p in code]
    return [
        at_most("function, median", statistics.median(lengths), 6, "lines"),
        at_most("function, 90th percentile", lengths[int(0.9 * len(lengths))], 25, "lines"),
        at_most("function, longest", lengths[-1], 60, "lines"),
        at_most("file, median", statistics.median(files), 120, "lines"),
        at_most("file, longest", max(files), 400, "lines"),
        at_least("lines of tests a line of code", sum(map(lines, tests)) / sum(files), 1.0, "lines"),
        Row(row="lines of code", value=sum(files), unit="lines"),
    ]


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    rows = measure()
    finish("size", rows, 0, as_json=parser.parse_args().json)
    sys.exit(any(row.holds is False for row in rows))


if __name__ == "__main__":
    main()

"""What BLAS threads cost on small problems: a head's fit beside a busy core, with one thread or all."""

import argparse
import multiprocessing
import time

import numpy as np

from benchmarks.report import Row, finish
from openflywheel.base.instruments.threads import one_thread
from openflywheel.customize._fitting import kernel_ridge


def _spin(stop: float) -> None:
    while time.monotonic() < stop:
        pass


def _fit() -> float:
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 384)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    start = time.process_time()
    kernel_ridge(x, random.integers(0, 50, 500), 50, np.ones(500, np.float32))
    return time.process_time() - start


def main() -> None:
    """Interleave five fits each way while another process keeps one core busy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    busy = multiprocessing.get_context("spawn").Process(
        target=_spin, args=(time.monotonic() + 60,), daemon=True
    )
    busy.start()
    many, one = [], []
    for _ in range(5):
        many.append(_fit())
        with one_thread():
            one.append(_fit())
    busy.terminate()
    rows = [
        Row(row="kernel ridge, 500 rows, all BLAS threads", value=float(np.median(many)), unit="CPU-s"),
        Row(row="the same, one thread", value=float(np.median(one)), unit="CPU-s"),
        Row(row="ratio of the medians", value=float(np.median(many) / np.median(one)), unit="x"),
    ]
    finish("threads", rows, 1, as_json=args.json)


if __name__ == "__main__":
    main()

"""Every number that the docs quote: `python -m benchmarks.NAME --json`."""

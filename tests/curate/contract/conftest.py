"""Every step of curation, loaded as the wheel loads it; what they are tested on can be imported by name."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import contract_cases as cases

Load = Callable[[cases.Case], cases.Plugin]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the steps read: examples, names of things, documents and pictures."""
    return cases.furnished(tmp_path_factory.mktemp("contract"))


@pytest.fixture(scope="session")
def load(folder: Path) -> Load:
    """Loads a case's plugin, each once."""
    loaded: dict[cases.Case, cases.Plugin] = {}

    def one(case: cases.Case) -> cases.Plugin:
        if case not in loaded:
            loaded[case] = case.load(folder)
        return loaded[case]

    return one

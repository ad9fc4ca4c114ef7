"""What tests of readers share: what is found in a file that is made in memory."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.explore import explore
from openflywheel.collect._files.file import File, Found


def found(name: str, content: bytes, **about: Any) -> list[Found | Drop]:
    """What is found in a file of that name and content, without the names of members."""
    each = explore(File(name, io.BytesIO(content), len(content), **about))
    return [e if isinstance(e, Drop) else e[1] for e in each]


def names(name: str, content: bytes) -> list[str]:
    """The names of what is found, and the reasons of what is not."""
    each = explore(File(name, io.BytesIO(content), len(content)))
    return [e.reason if isinstance(e, Drop) else e[0] for e in each]


@pytest.fixture(name="found")
def _found() -> Callable[..., list[Found | Drop]]:
    return found


@pytest.fixture(name="names")
def _names() -> Callable[..., list[str]]:
    return names

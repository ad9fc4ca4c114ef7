"""docs/fake-sources.md says what there is. (Its Python is run by tests/test_docs.py.)"""

from pathlib import Path

import msgspec
import pytest

from openflywheel.collect._fake.app import CONTROL
from openflywheel.collect._fake.catalogue import DATASETS
from openflywheel.collect._fake.desk import Rule, Script

PAGE = (Path(__file__).parents[3] / "docs" / "fake-sources.md").read_text(encoding="utf-8")


def test_the_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= 80


@pytest.mark.parametrize("table", [Rule, Script])
def test_every_field_is_named(table: type[msgspec.Struct]) -> None:
    names = [field.name for field in msgspec.structs.fields(table)]
    assert not [name for name in names if f"`{name}`" not in PAGE]


def test_every_dataset_and_endpoint_is_named() -> None:
    assert not [id for id in DATASETS if f"`{id}`" not in PAGE]
    assert not [name for name in ("script", "requests", "bill") if f"`{CONTROL}{name}`" not in PAGE]

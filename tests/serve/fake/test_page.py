"""docs/fake-provider.md says what there is. (Its Python is run by tests/test_docs.py.)"""

import re
from pathlib import Path

import msgspec
import pytest

from openflywheel.serve._fake.app import SURFACES
from openflywheel.serve._fake.script import Rule, Script, parse

PAGE = (Path(__file__).parents[3] / "docs" / "fake-provider.md").read_text(encoding="utf-8")


def test_the_page_is_short():
    assert len(PAGE.splitlines()) <= 80


def test_its_scripts_can_be_used():
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks
    assert all(parse(block.encode()).rules for block in blocks)


@pytest.mark.parametrize("table", [Rule, Script])
def test_every_field_is_named(table):
    names = [field.encode_name for field in msgspec.structs.fields(table)]
    assert not [name for name in names if f"`{name}`" not in PAGE]


def test_every_endpoint_is_named():
    named = {*re.findall(r"`(/[\w/]+)`", PAGE)}
    assert {path.removeprefix("/v1") for path in SURFACES} <= named
    assert {"/fake/script", "/fake/requests", "/fake/prices", "/fake/bill"} <= named

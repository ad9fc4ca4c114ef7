import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.errors import SettingsError
from openflywheel.curate._enrich.entities import Entity, named, names
from openflywheel.curate._enrich.naming import entities
from openflywheel.curate._tokens import passages

LIST = (
    Entity(id="ip15", name="iPhone 15", aliases=("i-Phone15",)),
    Entity(id="ip15pro", name="iPhone 15 Pro"),
    Entity(id="apple", name="Apple Inc.", aliases=("Cupertino firm",), kind="company", context=("phones",)),
    Entity(id="records", name="Apple Records", aliases=("Apple",), kind="label", context=("Beatles",)),
    Entity(id="target", name="Target Corp."),
    Entity(id="cpp", name="C++"),
    Entity(id="wifi", name="Wi-Fi 6"),
    Entity(id="zh", name="北京大学"),
    Entity(id="mercury-car", name="Mercury", kind="car"),
    Entity(id="mercury-planet", name="Mercury", kind="planet", context=("orbit", "sun")),
)


def found(*texts: str, of: tuple[Entity, ...] = LIST) -> list[tuple[str, ...]]:
    known = named(of)
    [passage] = passages(pa.array(texts))
    said = entities(passage, known)
    return [said.get(n, ()) for n in range(len(texts))]


def test_the_longest_name_counts() -> None:
    assert found("the IPHONE 15 pro, an iphone 15") == [("ip15pro", "ip15")]


def test_only_whole_words_count() -> None:
    assert found("iPhone 155 and an eiPhone 15") == [()]


def test_a_name_does_not_reach_from_one_text_into_the_next() -> None:
    assert found("an iPhone", "15 of them") == [(), ()]


def test_dashes_do_not_matter_but_other_signs_do() -> None:
    assert found("wifi 6, Wi Fi 6", "in C++", "in C") == [("wifi",), ("cpp",), ()]


def test_scripts_without_spaces() -> None:
    assert found("我在北京大学读书", "北京大") == [("zh",), ()]


def test_a_name_without_its_legal_form_counts_with_a_capital() -> None:
    assert found("At Target we", "on target we", "Target Corp. we", "target corp we") == [
        ("target",), (), ("target",), ("target",)
    ]  # fmt: skip


def test_what_several_bear_means_the_one_that_is_called_by_another_name_too() -> None:
    assert found("Apple, the Cupertino firm") == [("apple",)]


def test_else_the_one_whose_context_is_around() -> None:
    assert found("Apple and the Beatles", "Apple sells phones") == [("records",), ("apple",)]


def test_a_draw_means_none() -> None:
    assert found("Apple", "Apple phones for the Beatles", "Mercury") == [(), (), ()]
    assert found("the planet Mercury", "a Mercury car", "its orbit: Mercury round the sun") == [
        ("mercury-planet",), ("mercury-car",), ("mercury-planet",)
    ]  # fmt: skip


def test_they_come_in_the_order_of_the_text_and_once() -> None:
    assert found("C++, Wi-Fi 6, C++") == [("cpp", "wifi")]


words = st.lists(
    st.sampled_from(["iphone", "15", "pro", "apple", "x", "-", "c++", "wi", "fi", "6"]), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=1, max_size=4))
def test_what_a_text_names_does_not_depend_on_the_others(said: list[list[str]]) -> None:
    texts = [" ".join(words) for words in said]
    assert found(*texts) == [one for text in texts for one in found(text)]


def test_no_entities_and_no_text_name_nothing() -> None:
    assert found("iPhone 15", of=()) == [()]
    assert found("") == [()]


def test_a_list_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text(json.dumps({"id": "a", "name": "Alpha"}) + "\n\n")
    assert names(path) is names(path)
    assert [e.id for e in names(path).entities] == ["a"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "a"}', "missing required field `name`"),
        ("{", "line 2"),
        ('{"id": "a", "name": "b", "alias": []}', "unknown field `alias`"),
        ('{"id": "a;b", "name": "b"}', "give one without ';'"),
        ('{"id": "", "name": "b"}', "id = ''"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('{"id": "x", "name": "y"}\n' + line)
    with pytest.raises(SettingsError, match=said) as error:
        names(path)
    assert "line 2" in str(error.value)

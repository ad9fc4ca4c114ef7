"""Why a record became the row that it is: what each kind of step says of it."""

import pytest

from openflywheel.base.errors import UnknownRecord, WheelBusy
from openflywheel.base.nouns import Record, Row
from openflywheel.curate._engine.files import locked
from openflywheel.wheel.explaining import SHOWN, Said, explain

OLD = "curate: [normalise, redact, length, dedupe]"
LONG = " ".join(f"A sentence of some words, the one of number {n}." for n in range(40))


def record(text, **fields):
    return Record(**{"text": text, "source": "t", "purposes": ("training",)} | fields)


@pytest.fixture
def told(new, reopen):
    """Curate records by some steps; returns what is said of the first, by step."""

    def tell(steps, *records, pass_on=True):
        wheel = reopen(new, (OLD, f"curate: {steps}"))
        wheel.store.append(records)
        if pass_on:
            assert wheel.advance("curate").error == ""
        return {said.step: said.did for said in explain(wheel, records[0].id)}

    return tell


def test_it_begins_with_where_the_record_came_from(told):
    said = told("[normalise]", record("Hello\nthere", source="forum", uri="https://a.example/1"))
    assert next(iter(said.items())) == ("collect", "forum https://a.example/1: 'Hello there'")


def test_a_long_text_is_shown_by_its_beginning(told):
    said = told("[normalise]", record("ab " * 100))["collect"]
    shown = said.partition(": ")[2].strip("'")
    assert len(shown) == SHOWN
    assert shown.endswith("...")


def test_steps_are_told_in_their_order_and_those_over_all_rows_last(told):
    said = told("[dedupe, normalise, length, near_duplicates, split]", record("Hello there"))
    assert list(said) == ["collect", "normalise", "length", "dedupe, near_duplicates, split"]


def test_facts_are_told_with_their_values(told):
    said = told("[language, enrich]", record("Where is the parcel that was sent to me on Monday?"))
    assert "lang = en" in said["language"]
    assert "keywords = " in said["enrich"]


def test_a_text_that_is_cut_is_told_by_the_number_of_its_parts(told):
    assert told("[chunk: {tokens: 64}]", record(LONG))["chunk"].startswith("1 rows became ")


def test_parts_are_asked_about_one_by_one(told):
    """What the steps over all rows say of any part of the record."""
    said = told("[chunk: {tokens: 64}, split]", record(LONG))
    roles = said["split"].split("; ")
    assert len(roles) > 1
    assert set(roles) == {"role: train"}


def test_the_first_step_that_drops_ends_it(told):
    said = told("[length: {least: 9}, normalise, dedupe]", record("short"))
    assert list(said) == ["collect", "length"]
    assert said["length"] == "dropped: too short"


def test_what_the_guards_refuse_is_not_shown(told):
    said = told("[redact, normalise]", record("write to ann@example.com"))
    assert said["redact"] == "text: 'write to <email>'"
    assert "ann@" not in said["normalise"]


def test_weights_and_roles_are_told(told):
    said = told("[split, mix: {sources: {t: 0.25}}]", record("Hello there"))
    assert said["split, mix"] == "role: train, weight: 0.25"


def test_a_step_that_asks_a_model_is_not_asked_again(told):
    """No such provider is configured: to ask would raise."""
    said = told("[synthesise: {model: far/m, most_share: 1}, length]", record("x"), pass_on=False)
    assert said["synthesise"].startswith("not asked again")
    assert said["length"] == "dropped: too short"


def test_a_recipe_that_never_ran_says_so(told):
    said = told("[normalise, dedupe]", record("Hello there"), pass_on=False)
    assert said["dedupe"] == "not yet; let them: flywheel turn --only curate"


def test_a_row_of_the_store_leads_to_its_record(desk, reopen):
    wheel = reopen(desk)
    for row in wheel.store.all(Row)[:3]:
        steps = list(explain(wheel, row.id))
        assert all(isinstance(step, Said) for step in steps)
        assert steps == list(explain(wheel, row.parents[0]))


@pytest.mark.parametrize("name", ["nobody", "", "0" * 32])
def test_a_name_that_is_none_is_refused_before_anything_is_said(desk, reopen, name):
    with pytest.raises(UnknownRecord, match="there is no record or row"):
        next(explain(reopen(desk), name))


def test_while_a_passage_holds_the_state_it_says_so(desk, reopen):
    wheel = reopen(desk)
    row = wheel.store.all(Row)[0]
    [state] = [p.parent for p in (wheel.store.path / "curate").glob("*/manifest.json")]
    with locked(state / "lock", RuntimeError()), pytest.raises(WheelBusy, match="another run uses the state"):
        list(explain(wheel, row.id))

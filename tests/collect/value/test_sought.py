import msgspec
import pytest

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.base.settings import Budget, Costs, Task
from openflywheel.collect._site.page import Link
from openflywheel.collect._value.aim import breadth_first
from openflywheel.collect._value.sought import EXAMPLES, aim_of, aim_of_a_crawl, failing

GAP = Gap(
    topic="battery", why="x", task="answer", queries=("old battery?",), evidence=("e1", "e2"), weight=2.0
)
ASKED = {
    id: Exchange(id=id, episode="e", task="answer", input=said, output="", variant="m")
    for id, said in {"e1": "where do batteries go?", "e2": "", "e3": "else"}.items()
}


def exchanges(ids):
    return {id: ASKED[id] for id in ids if id in ASKED}


def given(**changes):
    tasks = {"answer": Task(kind="text", costs=Costs(error=5.0))}
    return {
        "exchanges": exchanges, "encoder": NgramEncoder(), "known": list, "tasks": tasks,
        "budget": Budget(document=0.001), **changes,
    }  # fmt: skip


def promise(aim):
    [value] = aim.rate([Link(url="https://x.org/battery", text="old battery")], None, 1)
    return value


def test_examples_are_the_questions_that_failed_and_none_that_was_refused():
    assert failing(GAP, exchanges) == ["where do batteries go?"]
    asked = []
    failing(Gap(topic="t", why="w", evidence=tuple(map(str, range(99)))), lambda ids: asked.extend(ids) or {})
    assert len(asked) == EXAMPLES


def test_a_gap_is_worth_its_weight_in_errors_of_its_task():
    half = Task(kind="text", costs=Costs(error=2.5))
    one, cheaper = promise(aim_of(GAP, **given())), promise(aim_of(GAP, **given(tasks={"answer": half})))
    assert cheaper == pytest.approx(one / 2)
    unknown = promise(aim_of(GAP, **given(tasks={})))  # an error costs 1 where nobody says more
    assert unknown == pytest.approx(one / 5)


def test_a_crawl_without_words_goes_breadth_first():
    assert aim_of_a_crawl(Gap(topic="answer", why="cold start", task="answer"), **given()) == (
        breadth_first,
        "",
    )


def test_the_same_words_are_the_same_aim_in_the_next_turn():
    names = [
        aim_of_a_crawl(gap, **given())[1]
        for gap in (
            GAP,
            msgspec.structs.replace(GAP, id="", why="later", weight=9.0),
            msgspec.structs.replace(GAP, id="", queries=("another?",)),
        )
    ]
    assert names[0] == names[1] != names[2]

"""Which results a gap wants, and in what order."""

from typing import Any

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.base.settings import Budget
from openflywheel.collect._providers.product import Result
from openflywheel.collect._providers.wanted import Wanted
from openflywheel.collect._value.sought import EXAMPLES, failing

GAP = Gap(topic="battery disposal", why="x", queries=("How do I dispose of an old battery?",))
HITS = [
    Result(
        link="https://a.example/shoes?utm_source=x",
        title="Running shoes",
        description="New shoes for the summer",
    ),
    Result(
        link="https://a.example/battery",
        title="Dispose of an old battery",
        description="How to dispose of it",
    ),
    Result(link="https://a.example/tea", title="Green tea", description="A tea from the hills"),
]


def wanted(**given: Any) -> Wanted:
    handed = {
        "gap": GAP,
        "encoder": NgramEncoder(),
        "known": lambda: [],
        "exchanges": lambda ids: {},
        "tasks": {},
    }
    return Wanted(**{**handed, "budget": Budget(), **given})


def test_what_promises_most_comes_first() -> None:
    best = wanted().best(HITS, 2)
    assert best[0].link == "https://a.example/battery"
    assert len(best) == 2


def test_a_page_that_two_queries_found_is_one() -> None:
    twice = [*HITS, Result(link="HTTPS://A.example:443/battery#top", title="again")]
    best = wanted().best(twice, 10)
    assert [r.title for r in best].count("Dispose of an old battery") == 1
    assert len(best) == 3


def test_what_is_no_page_is_left_out() -> None:
    assert wanted().best([Result(link="mailto:a@b.example"), Result(link="")], 10) == []
    assert wanted().best([], 10) == []


def test_failing_examples_are_the_inputs_of_the_evidence() -> None:
    gap = Gap(topic="t", why="w", evidence=tuple(f"e{n}" for n in range(EXAMPLES + 9)))

    def exchanges(ids: Any) -> dict[str, Exchange]:
        assert len(ids) == EXAMPLES
        made = (
            Exchange(id=i, episode="s", task="t", input=i if i != "e1" else "", output="", variant="m")
            for i in ids
        )
        return {e.id: e for e in made}

    assert failing(gap, exchanges)[:2] == ["e0", "e2"]

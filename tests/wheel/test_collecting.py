"""Looking at sources before they collect."""

from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path
from uuid import uuid4

import pytest

from openflywheel import collect
from openflywheel.base.errors import UnknownTask
from openflywheel.base.nouns import Gap, Record
from openflywheel.base.settings import parse
from openflywheel.collect._streams import Stream
from openflywheel.wheel import collecting
from openflywheel.wheel.collecting import Checked, Explained, Planned
from openflywheel.wheel.flywheel import Flywheel

SHOP = """
from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Paid, Record
from openflywheel.collect._streams import Stream

def NAME(gap, *, place: str, broken: bool = False, state, progress):
    state["n"] = state.get("n", 0) + 1
    progress({"pages": 1, "queued": 2})
    yield Record(text=f"{gap.topic} at {place} {state['n']}", source="shop")
    yield Paid(0.5, "vendor")

def check(*, place, broken):
    if broken:
        raise SourceFailed(f"{place} says 401; set the key")

def discover(gap, *, place, broken, state):
    if broken:
        raise SourceFailed("cannot tell")
    yield Stream("reviews", 10 - state.get("n", 0), 0.25, ("text", "stars"))

def explain(url, *, place, state):
    return f"{url} is not at {place}, asked {state.get('n', 0)} times"
"""
PLAIN = "def NAME(gap, *, place: str = ''): return []"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], str]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.setattr(collect, "__path__", [*collect.__path__, str(folder)])

    def make(source: str) -> str:
        name = f"p{uuid4().hex}"
        (folder / f"{name}.py").write_text(source.replace("NAME", name))
        invalidate_caches()
        return name

    return make


@pytest.fixture
def open_with(tmp_path: Path):
    opened = []

    def make(sources: str) -> Flywheel:
        text = (
            f"name: w\nstore: wheel\nencoder: ngrams\ntasks: {{answer: {{kind: text}}}}\ncollect: {sources}\n"
        )
        opened.append(Flywheel(parse(text, folder=tmp_path)))
        return opened[-1]

    yield make
    for wheel in opened:
        wheel.close()


def test_a_plan_tells_what_would_be_read_and_reads_nothing(plugin, open_with):
    shop, plain = plugin(SHOP), plugin(PLAIN)
    wheel = open_with(
        f"{{{shop}: {{place: here, basis: consent}}, {plain}: {{basis: consent}}, experts: {{}}}}"
    )
    stream = Stream("reviews", 10, 0.25, ("text", "stars"))
    assert list(collecting.plan(wheel)) == [
        Planned(shop, "answer", stream),
        Planned(plain, "answer", said="it cannot tell before it reads"),
    ]
    assert wheel.store.all(Record) == []
    wheel.advance("collect")
    collecting.ask_for(wheel, "battery disposal", "answer")
    [first, _] = collecting.plan(wheel)
    assert first == Planned(shop, "battery disposal", Stream("reviews", 9, 0.25, ("text", "stars")))


def test_a_source_that_does_not_answer_says_why(plugin, open_with):
    shop = plugin(SHOP)
    wheel = open_with(
        f"[{shop}: {{place: a, basis: consent}}, {shop}: {{place: b, broken: true, basis: consent}}]"
    )
    checked = list(collecting.check(wheel))
    assert checked == [Checked(shop), Checked(shop, "b says 401; set the key")]
    assert collecting.unreachable(checked)
    assert not collecting.unreachable(checked[:1])
    assert [p.said for p in collecting.plan(wheel)] == ["", "cannot tell"]


def test_a_source_says_why_it_took_a_url(plugin, open_with):
    shop, plain = plugin(SHOP), plugin(PLAIN)
    wheel = open_with(f"{{{shop}: {{place: here, basis: consent}}, {plain}: {{basis: consent}}}}")
    wheel.advance("collect")
    said = Explained(shop, "https://x.org/ is not at here, asked 1 times")
    assert list(collecting.explain(wheel, "https://x.org/")) == [said]


def test_a_person_writes_a_gap(plugin, open_with):
    shop = plugin(SHOP)
    wheel = open_with(f"{{{shop}: {{place: here, basis: consent}}}}")
    gap = collecting.ask_for(wheel, "battery disposal", "answer")
    assert (gap.topic, gap.queries, gap.task) == ("battery disposal", ("battery disposal",), "answer")
    step = wheel.advance("collect")
    texts = sorted(r.text for r in wheel.store.all(Record))
    assert texts == ["answer at here 1", "battery disposal at here 2"]
    assert (step.gave, step.cost, step.provider) == (2, 1.0, "vendor")
    with pytest.raises(UnknownTask, match="there is no task 'anser'; did you mean 'answer'"):
        collecting.ask_for(wheel, "battery disposal", "anser")
    assert len(wheel.store.all(Gap)) == 2


def test_what_a_source_keeps_for_itself_is_kept_with_its_records(plugin, open_with, tmp_path):
    shop = plugin(SHOP)
    told = []
    for n in range(2):
        wheel = open_with(f"{{{shop}: {{place: here, when: turn, basis: consent}}}}")
        wheel.handed.progress = lambda source, figures: told.append((source, figures))
        wheel.advance("collect")
        assert [r.text for r in wheel.store.all(Record)][n:] == [f"answer at here {n + 1}"]
    assert told == [(shop, {"pages": 1, "queued": 2})] * 2

import msgspec

from openflywheel import collect
from openflywheel.base.door import Under
from openflywheel.base.errors import SettingsError, SourceFailed, StoreError
from openflywheel.base.nouns import Drop, Fault, Gap, Paid, Record
from openflywheel.base.settings import Budget
from openflywheel.collect._terms import Terms


class Stored:
    """What a passage lends the room: records and gaps that are there already."""

    def __init__(self, *nouns):
        self.nouns = {n.id: n for n in nouns}

    def get(self, kind, ids):
        return {i: self.nouns[i] for i in ids if isinstance(self.nouns.get(i), kind)}

    def all(self, kind):
        return [n for n in self.nouns.values() if isinstance(n, kind)]


ASKED = Gap(topic="a", why="", task="answer", queries=("how?",), evidence=("x",))
COLD = Gap(topic="answer", why="cold start", task="answer")


def run(gaps, sources, stored=None, state=None, **extra):
    state = {} if state is None else state
    return list(collect.run(gaps, stored or Stored(), sources, state=state, **extra))


def under(source, **terms):
    return Under(source, Terms(**{"basis": "consent", **terms}), source.__name__)


def test_every_gap_is_shown_to_every_source_and_what_is_stored_is_dropped_with_a_reason():
    old, new = (Record(text=t, source="s") for t in ("old", "new"))
    seen = []

    def source(gap):
        seen.append(gap.topic)
        return [old, new, new]

    gaps = [Gap(topic="a", why=""), Gap(topic="b", why="")]
    assert run(gaps, [source], Stored(old)) == [Drop("stored already"), new]
    assert seen == ["a", "b"]


def test_gaps_that_ask_for_labels_alone_are_shown_to_the_own_sources_alone():
    seen = []

    def crawl(gap):
        seen.append(("crawl", gap.topic))
        return []

    def traffic(gap):
        seen.append(("traffic", gap.topic))
        return []

    labels = Gap(topic="labels", why="", evidence=("x",), budget=3)
    run([labels, ASKED], [crawl, traffic])
    assert seen == [("crawl", "a"), ("traffic", "labels"), ("traffic", "a")]


def test_the_terms_are_written_on_every_record():
    def source(gap):
        yield Record(text="t", source="s")
        yield Record(text="u", source="s", license="MIT", region="US", purposes=("evaluation",))

    plain, own = run([ASKED], [under(source, license="CC0", region="EU", purposes=("answering",))])
    assert (plain.basis, plain.license, plain.region) == ("consent", "CC0", "EU")
    assert plain.purposes == ("answering",)
    assert (own.basis, own.license, own.region, own.purposes) == ("consent", "MIT", "US", ("evaluation",))
    assert plain.id != Record(text="t", source="s").id  # its name is its content, terms included


def test_a_source_is_shown_the_gaps_of_its_task_alone():
    def source(gap):
        yield Record(text=gap.task, source="s")

    gaps = [Gap(topic=t, why="", task=t) for t in ("answer", "route")]
    assert [r.text for r in run(gaps, [under(source, task="route")])] == ["route"]


def test_a_source_can_be_asked_in_every_turn():
    def feeds(gap):
        yield Record(text=gap.why, source="s")

    state = {}
    for _ in range(2):
        found = run([], [under(feeds, when="turn")], Stored(COLD), state)
        assert [r.text for r in found] == ["cold start"]
    assert [r.text for r in run([], [under(feeds, when="turn", task="other")], Stored(COLD))] == []


def test_a_source_has_a_state_of_its_own():
    def feeds(gap, *, state):
        state["seen"] = state.get("seen", 0) + 1
        yield Record(text=f"{state['seen']}", source="s")

    state = {}
    assert [r.text for r in run([ASKED], [feeds], state=state)] == ["1"]
    assert [r.text for r in run([ASKED], [feeds], state=state)] == ["2"]
    assert state["feeds"]["own"] == {"seen": 2}


def test_a_source_that_fails_keeps_its_state_and_gets_its_gaps_again_and_the_others_go_on():
    broken = [True]

    def api(gap, *, state):
        state["cursor"] = state.get("cursor", 0) + 1
        yield Record(text=f"api {state['cursor']}", source="s")
        if broken[0]:
            raise SourceFailed("the desk says 503; try later")

    def other(gap):
        yield Record(text="other", source="s")

    state = {}
    failed, *records = run([ASKED], [api, other], state=state)
    assert failed == Fault("api: the desk says 503; try later")
    assert [r.text for r in records] == ["api 1", "other"]
    assert state["api"] == {"own": {}, "columns": {}, "waiting": [ASKED.id]}
    broken[0] = False
    found = run([], [api, other], Stored(ASKED), state)
    assert [r.text for r in found] == ["api 1"]  # the same gap again, from the old state
    assert state["api"]["waiting"] == []


def test_a_mistake_in_one_source_stops_no_other(caplog):
    def broken(gap):
        raise ValueError("a mistake in the plugin")

    def wrong(gap):
        raise SettingsError("wrong: there is no file 'x'")

    def other(gap):
        yield Record(text="other", source="s")

    first, second, record = run([ASKED], [broken, wrong, other])
    assert first == Fault("broken: ValueError: a mistake in the plugin")
    assert second == Fault("wrong: there is no file 'x'")
    assert record.text == "other"
    assert "Traceback" in caplog.text  # of a mistake that is ours


def test_the_own_sources_get_their_gaps_again_too():
    broken = [True]

    def traffic(gap):
        if broken[0]:
            raise StoreError("the disk is full")
        yield Record(text=gap.topic, source="s")

    labels, state = Gap(topic="labels", why="", task="route", evidence=("x",)), {}
    assert run([labels], [traffic], state=state) == [Fault("traffic: the disk is full")]
    broken[0] = False
    assert [r.text for r in run([], [traffic], Stored(labels), state)] == ["labels"]


def test_the_own_sources_keep_to_their_task():
    def traffic(gap):
        yield Record(text=gap.task, source="s")

    gaps = [Gap(topic=t, why="", task=t, evidence=("x",)) for t in ("answer", "route")]
    assert [r.text for r in run(gaps, [under(traffic, task="route")])] == ["route"]


def test_a_source_that_is_new_is_shown_the_cold_start_however_long_ago():
    def wiki(gap):
        yield Record(text=gap.why, source="s")

    state = {}
    assert [r.text for r in run([], [under(wiki)], Stored(COLD), state)] == ["cold start"]
    assert run([], [under(wiki)], Stored(COLD), state) == []
    assert run([], [under(wiki, when="gap")], Stored(COLD)) == []


def test_a_state_that_grows_without_bound_is_refused():
    def feeds(gap, *, state):
        state["seen"] = ["x" * 100] * 1000
        yield Record(text="t", source="s")

    state = {}
    fault = next(t for t in run([ASKED], [feeds], state=state) if isinstance(t, Fault))
    assert fault.said.startswith("feeds left a state of")
    assert state["feeds"]["own"] == {}


def test_what_a_provider_took_goes_on_to_the_step():
    def source(gap):
        yield Paid(0.25, "vendor")

    assert run([ASKED], [under(source)]) == [Paid(0.25, "vendor")]


def test_progress_is_told_with_the_sources_name():
    def crawl(gap, *, progress):
        progress({"fetched": 1})
        return []

    told = []
    run([ASKED], [crawl], progress=lambda source, figures: told.append((source, figures)))
    assert told == [("crawl", {"fetched": 1})]
    assert run([ASKED], [crawl]) == []


def test_the_contract_of_a_source_stands_at_the_door():
    rows = [{"price": "1.5"}, {"price": "cheap", "size": "L"}]

    def shop(gap):
        yield from (Record(text=str(row), source="s", meta=row) for row in rows)

    state, terms = {}, {"contract": {"columns": "discard_value", "types": "discard_row"}}
    first = run([ASKED], [under(shop)], state=state)
    assert [r.meta for r in first] == rows  # the first passage sets the columns
    assert state["shop"]["columns"] == {"price": "text", "size": "text"}
    state["shop"]["columns"] = {"price": "number"}
    strict = Under(shop, msgspec.convert({"basis": "consent", **terms}, Terms), "shop")
    one, dropped = sorted(run([ASKED], [strict], state=state), key=lambda t: isinstance(t, Drop))
    assert one.meta == {"price": "1.5"}
    assert dropped == Drop("contract: another type")


def test_a_first_passage_that_fails_sets_no_columns():
    broken = [True]

    def shop(gap):
        yield Record(text="one", source="s", meta={"price": "1"})
        if broken[0]:
            raise SourceFailed("the shop is closed")
        yield Record(text="two", source="s", meta={"size": "L"})

    state, terms = {}, msgspec.convert({"basis": "consent", "contract": {"columns": "freeze"}}, Terms)
    frozen = Under(shop, terms, "shop")
    assert Fault("shop: the shop is closed") in run([ASKED], [frozen], state=state)
    assert state["shop"]["columns"] == {}
    broken[0] = False
    assert [r.text for r in run([], [frozen], Stored(ASKED), state)] == ["one", "two"]


def test_a_source_can_wait_for_gaps_that_name_what_is_missing():
    def crawl(gap):
        yield Record(text=gap.topic, source="s")

    assert [r.text for r in run([COLD, ASKED], [under(crawl)])] == ["answer", "a"]
    assert [r.text for r in run([COLD, ASKED], [under(crawl, when="gap")])] == ["a"]


def test_a_search_is_asked_in_words_alone():
    def search(gap):
        yield Record(text=gap.topic, source="s")

    assert [r.text for r in run([COLD, ASKED], [under(search)])] == ["a"]


def test_what_providers_took_counts_against_one_budget():
    def seller(gap, *, budget):
        yield Paid(0.4, "vendor")
        yield Record(text=f"{gap.topic} {budget.dollars:.1f}", source="s")

    gaps = [ASKED, Gap(topic="b", why="", queries=("b?",))]
    found = run(gaps, [seller, under(seller)], budget=Budget(dollars=1.0))
    assert [r.text for r in found if isinstance(r, Record)] == ["a 1.0", "b 0.6", "a 0.2", "b 0.0"]


def test_nothing_may_be_paid_without_a_budget():
    def seller(gap, *, budget):
        yield Record(text=str(budget.dollars), source="s")

    assert [r.text for r in run([ASKED], [seller])] == ["0.0"]

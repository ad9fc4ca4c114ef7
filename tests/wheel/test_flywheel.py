"""Ask, signal, turn, read: what a product sees of the wheel."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from openflywheel.base.errors import (
    SettingsError,
    StoreError,
    UnknownExchange,
    UnknownPlugin,
    UnknownTask,
    WheelBusy,
)
from openflywheel.base.holdout import held_out
from openflywheel.base.nouns import KINDS, Call, Exchange, Gap, Reading, Row, Signal, Step
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.ring import TURN

NAME = "Ann.Perkins-1971"
TURN_ELSEWHERE = """
import sys
from openflywheel.wheel.flywheel import Flywheel
with Flywheel.open(sys.argv[1]) as wheel:
    wheel.turn(each=lambda step: print(step.room, flush=True) or sys.stdin.readline())
"""


def everything(folder):
    """All the bytes that the files below a folder hold."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def teachable(wheel, text, **said):
    """Somebody who is not held out asks, and tells how it went."""
    exchange = next(e for n in range(99) if not held_out(e := wheel.ask("route", text, subject=f"p{n}"), 0.2))
    wheel.signal(exchange, **said)
    return exchange


class TestAsk:
    def test_before_the_first_promotion_a_person_answers(self, new, reopen):
        wheel = reopen(new)
        exchange = wheel.ask("route", "where is it?")
        assert (exchange.output, exchange.variant, exchange.choices) == ("", "person", ())
        assert wheel.champion("route") is None

    def test_then_the_champion_answers(self, wheel):
        exchange = wheel.ask("route", "cannot sign in, login code missing")
        assert (exchange.output, exchange.variant) == ("login", wheel.champion("route").id)
        assert exchange.choices[0] == "login"
        assert 1 / 3 < exchange.confidence <= 1

    def test_the_answer_is_kept_before_it_is_given(self, wheel):
        exchange = wheel.ask("route", "where is it?")
        assert wheel.exchange(exchange.id) == exchange
        assert wheel.store.all(Exchange) == [exchange]

    def test_many_are_answered_as_one_by_one(self, wheel):
        texts = ["where is my parcel", "refund me", "hello", "refund me"]
        many = wheel.ask_many("route", texts, subjects=["ann", "", "bob", "ann"], episodes=["a", "", "", "a"])
        single = [wheel.ask("route", text) for text in texts]
        assert [e.input for e in many] == texts
        assert [e.output for e in many] == [e.output for e in single]
        assert [e.confidence for e in many] == pytest.approx([e.confidence for e in single], abs=1e-6)
        assert [e.subject for e in many] == [wheel.store.key_of(s) for s in ("ann", "", "bob", "ann")]
        assert many[0].episode == many[3].episode == "a"
        assert len({e.episode for e in many}) == 3
        assert len({e.id for e in many}) == 4

    def test_asking_nothing_answers_nothing(self, wheel):
        assert wheel.ask_many("route", []) == []
        assert wheel.store.all(Exchange) == []

    def test_a_task_that_is_not_there_is_refused_with_the_nearest_one(self, wheel):
        for ask in (wheel.ask, wheel.ask_many, lambda task, _: wheel.champion(task)):
            with pytest.raises(UnknownTask, match="there is no task 'rout'; did you mean 'route'?"):
                ask("rout", ["where is it?"])
        assert wheel.store.all(Exchange) == []

    def test_every_task_starts_with_one_gap_however_often_it_is_opened(self, new, reopen):
        two = ("tasks: {", "tasks: {price: {kind: label}, ")
        first = reopen(new, two)
        first.close()
        assert sorted(gap.task for gap in reopen(new).store.all(Gap)) == ["price", "route"]


class TestSignal:
    def test_an_exchange_is_meant_by_itself_or_by_its_id(self, wheel):
        exchange = wheel.ask("route", "where is it?")
        (one,), (same,) = wheel.signal(exchange, rating=1), wheel.signal(exchange.id, rating=True)
        assert (one.id, one.exchange, one.value) == (same.id, exchange.id, 1)

    def test_saying_the_same_twice_counts_once(self, wheel):
        exchange = wheel.ask("route", "where is it?", subject=NAME)
        for _ in range(2):
            wheel.signal(exchange, rating=-1, correction="parcel", subject=NAME)
        assert Counter(s.kind for s in wheel.store.all(Signal)) == {"rating": 1, "correction": 1}
        wheel.signal(exchange, rating=0.5)
        assert [s.value for s in wheel.store.all(Signal) if s.kind == "rating"] == [-1, 0.5]

    def test_an_exchange_that_nobody_has_seen_is_refused(self, wheel):
        with pytest.raises(UnknownExchange, match="there is no exchange 'no-such'"):
            wheel.signal("no-such", rating=1)
        assert wheel.store.all(Signal) == []

    def test_what_says_nothing_is_refused_and_not_kept(self, wheel):
        exchange = wheel.ask("route", "where is it?")
        with pytest.raises(SettingsError):
            wheel.signal(exchange)
        with pytest.raises(SettingsError):
            wheel.signal(exchange, correction="parcel", rating=7)
        assert wheel.store.all(Signal) == []

    def test_only_a_label_closes_the_question_to_experts(self, wheel):
        exchange = wheel.ask("route", "where is it?")
        wheel.store.experts.ask([exchange.id], task="route", why="doubt")
        wheel.signal(exchange, rating=-1, correction="parcel")
        assert [q.exchange for q in wheel.store.experts.open()] == [exchange.id]
        wheel.signal(exchange, label="parcel")
        assert wheel.store.experts.open() == []


class TestPeople:
    def test_nobodys_name_stands_in_any_file_of_the_store(self, desk, wheel):
        exchange = wheel.ask("route", "where is the marmalade?", subject=NAME)
        wheel.signal(exchange, rating=-1, correction="parcel", subject=NAME)
        wheel.turn()
        wheel.ask("route", "and now?", subject=NAME)
        tables = "".join(repr(wheel.store.table(kind).to_pylist()) for kind in KINDS)
        wheel.close()
        found = everything(desk / "wheel") + tables.encode()  # the lake's files are compressed
        assert b"marmalade" in found
        assert wheel.store.key_of(NAME).encode() in found
        assert not [name for name in (NAME, NAME.lower(), "Perkins") if name.encode() in found]

    def test_a_person_has_one_key_here_and_another_elsewhere(self, wheel, desk, tmp_path, reopen):
        keys = {wheel.ask("route", text, subject=NAME).subject for text in ("one", "two")}
        assert keys == {wheel.store.key_of(NAME)}
        other = reopen(desk, ("store: wheel", "store: other")).store
        assert other.key_of(NAME) not in keys
        assert wheel.ask("route", "three").subject == ""


class TestTurn:
    def test_it_passes_every_room_in_order_and_says_so(self, wheel):
        seen = []
        steps = wheel.turn(each=seen.append)
        assert [(s.room, s.turn, s.error) for s in steps] == [(room, 1, "") for room in TURN]
        assert seen == steps == [s for s in wheel.store.all(Step) if s.turn == 1]
        assert {s.settings for s in steps} == {wheel.settings.version}

    def test_what_people_correct_is_taught(self, wheel):
        before = wheel.champion("route")
        exchange = teachable(wheel, "the gift card is empty", correction="refund")
        steps = {s.room: s for s in wheel.turn()}
        row = next(r for r in wheel.store.all(Row) if r.text == "the gift card is empty")
        assert (row.labels, row.labelled_by, row.uri) == (
            {"route": "refund"},
            "user",
            f"exchange:{exchange.id}",
        )
        assert steps["customize"].gave == 1
        assert steps["evaluate"].gave == 1
        assert before is not None

    def test_nothing_new_teaches_nothing(self, wheel):
        assert [
            (s.room, s.took) for s in wheel.turn() if s.took and s.room not in ("velocity", "serve")
        ] == []

    def test_a_room_can_be_passed_by_itself(self, wheel):
        step = wheel.advance("signals")
        assert (step.room, step.error, wheel.store.last_turn()) == ("signals", "", 0)
        assert wheel.store.all(Step)[-1] == step
        with pytest.raises(UnknownPlugin, match="there is no room 'singals'; did you mean 'signals'?"):
            wheel.advance("singals")

    def test_one_reading_a_name_and_task_the_newest(self, wheel):
        first = wheel.readings()
        wheel.turn()
        second = wheel.readings()
        assert first
        assert len(wheel.store.all(Reading)) > len(second)
        assert {r.turn for r in second if not r.name.startswith("curate.")} == {1}
        assert {r.turn for r in second} == {0, 1}  # what no room measured anew stands from before
        assert [(r.name, r.task) for r in second] == sorted({(r.name, r.task) for r in second})

    @pytest.mark.slow
    def test_another_process_that_turns_is_not_disturbed(self, desk, wheel, elsewhere):
        child = elsewhere(TURN_ELSEWHERE, desk / "flywheel.yaml")
        assert child.stdout.readline() == "signals\n"
        for turn in (wheel.turn, lambda: wheel.advance("study")):
            with pytest.raises(WheelBusy, match=f"the wheel 'desk' is held by process {child.pid} "):
                turn()
        assert wheel.ask("route", "where is my parcel").output == "parcel"
        child.communicate("\n" * len(TURN))
        assert child.returncode == 0
        assert [s.turn for s in wheel.turn()] == [2] * len(TURN)
        assert Counter(s.room for s in wheel.store.all(Step)) == dict.fromkeys(TURN, 3)


class TestManyAtOnce:
    def test_what_was_acknowledged_while_a_turn_runs_is_there_once(self, desk, wheel, reopen):
        over = threading.Event()

        def talk(person):
            asked = []
            while not over.is_set() or len(asked) < 5:
                asked.append(wheel.ask("route", f"parcel {person} {len(asked)}", subject=f"p{person}"))
                wheel.signal(asked[-1], rating=1)
            return asked

        with ThreadPoolExecutor(8) as pool:
            people = [pool.submit(talk, n) for n in range(8)]
            try:
                steps = wheel.turn()
            finally:
                over.set()
            asked = [exchange for person in people for exchange in person.result()]
        assert not [step.error for step in steps if step.error]
        wheel.close()
        again = reopen(desk).store
        for kept in (again.all(Exchange), again.table(Exchange).to_pylist()):
            ids = [e.id if isinstance(e, Exchange) else e["id"] for e in kept]
            assert Counter(ids) == dict.fromkeys((e.id for e in asked), 1)
        ratings = [s.exchange for s in again.all(Signal) if s.kind == "rating"]
        assert Counter(ratings) == dict.fromkeys((e.id for e in asked), 1)

    def test_what_came_during_one_turn_is_new_for_the_next(self, wheel):
        late = []
        wheel.turn(each=lambda _: late.append(wheel.ask("route", f"parcel {len(late)}")))
        steps = {s.room: s for s in wheel.turn()}
        assert steps["signals"].took == len(late) == len(TURN)

    @pytest.mark.slow
    def test_a_promotion_in_another_process_is_noticed(self, new, reopen, elsewhere):
        wheel = reopen(new)
        assert wheel.ask("route", "where is my parcel").variant == "person"
        child = elsewhere(TURN_ELSEWHERE, new / "flywheel.yaml")
        child.communicate("\n" * len(TURN))
        assert child.returncode == 0
        exchange = wheel.ask("route", "where is my parcel")
        assert (exchange.output, exchange.variant) == ("parcel", wheel.champion("route").id)


class TestClose:
    def test_opened_again_the_same_champion_serves(self, desk, wheel, reopen):
        texts = ["where is my parcel", "refund me now", "who are you"]
        before, champion = wheel.ask_many("route", texts), wheel.champion("route")
        wheel.close()
        again = reopen(desk)
        assert again.champion("route") == champion
        after = again.ask_many("route", texts)
        told = [[(e.output, e.variant, e.confidence, e.choices) for e in said] for said in (before, after)]
        assert told[0] == told[1]

    def test_closed_it_answers_no_more_and_closing_it_again_is_harmless(self, wheel):
        wheel.close()
        wheel.close()
        with pytest.raises(StoreError, match="closed"):
            wheel.ask("route", "anybody there?")

    def test_an_error_in_the_block_closes_it_too(self, desk):
        with pytest.raises(ZeroDivisionError), Flywheel.open(desk / "flywheel.yaml") as wheel:
            wheel.turn()
            raise ZeroDivisionError
        with pytest.raises(StoreError, match="closed"):
            wheel.store.all(Step)


def test_a_turn_takes_the_bytes_of_calls_that_nothing_marks(desk, reopen):
    share = ("wheel: {holdout: {share: 0.2}}", "wheel: {keep: {unmarked: 0.0}}")
    wheel = reopen(desk, share)
    call = Call(surface="chat", request=b"ask", response=b"said", input_tokens=3)
    wheel.store.append([call])
    wheel.turn()
    thinned = wheel.store.get(Call, [call.id])[call.id]
    assert (thinned.request, thinned.response, thinned.input_tokens) == (b"", b"", 3)

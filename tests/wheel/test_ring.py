"""One passage: all or nothing, and no room's failure stops the ring."""

import re
import time
from collections import Counter

import pytest

from openflywheel.base import door
from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import KINDS, Dataset, Model, Record, Row, Signal, Step, Verdict
from openflywheel.wheel.ring import RING, ROOMS, TURN, advance

# Fails while the file "broken" lies beside flywheel.yaml.
STEP = """\
def fragile(batch, *, folder):
    if (folder / "broken").exists():
        raise ValueError("the mangle is stuck")
    return batch
"""
LISTENER = """\
from openflywheel.base.nouns import Signal
def hasty(episode, *, folder):
    for exchange in episode.exchanges:
        yield Signal(exchange=exchange.id, kind="hasty", value=0, source="code", explicit=False)
        if exchange.input == "stop" and (folder / "broken").exists():
            raise KeyError("stop")
"""
VENDOR = """\
from openflywheel.base.nouns import Paid
def vendor(gap):
    yield Paid(0.25, "vendor")
    raise ValueError("the vendor sent rubbish")
"""
PAYER = """\
from openflywheel.base.nouns import Paid
KINDS = ("label",)
def payer(lesson, *, folder):
    yield Paid(2.0, "far", "job")
    yield Paid(0.5, "near")
    if (folder / "broken").exists():
        yield "no noun"
"""
MODEL = {"name": "stranger", "base": "", "method": "imported", "taught_by": ()}
RUBBISH = """\
from openflywheel.base.nouns import Signal
REST = {{"kind": "odd", "value": 0, "source": "code", "explicit": False}}
def rubbish(episode):
    return [{given}]
"""


def rooms(steps):
    return {step.room: step for step in steps}


def turned(wheel):
    """A turn's rooms, one after the other, without the workflow around them."""
    return rooms(wheel.advance(room) for room in TURN)


class TestFailing:
    @pytest.fixture
    def fragile(self, new, install, reopen):
        """A wheel that has never turned; its curation has a step that fails while "broken" is there."""
        install("curate", "fragile", STEP)
        (new / "broken").touch()
        return reopen(new, ("[normalise, redact", "[normalise, fragile, redact"))

    def test_the_step_says_what_failed_and_where(self, fragile):
        step = rooms(fragile.turn())["curate"]
        why = r"fragile failed on shard \w+: ValueError: the mangle is stuck \(stranger_fragile\.py:3\)"
        assert re.fullmatch(f"StepFailed: {why}", step.error)
        assert (step.took, step.gave, step.turn) == (9, 0, 0)
        assert step in fragile.store.all(Step)

    def test_the_other_rooms_go_on(self, fragile):
        steps = fragile.turn()
        assert [s.room for s in steps] == list(TURN)
        assert [s.room for s in steps if s.error] == ["curate"]
        assert rooms(steps)["velocity"].gave > 0

    def test_the_room_takes_the_same_things_again_until_it_succeeds(self, fragile, new):
        assert [rooms(fragile.turn())["curate"].took for _ in range(2)] == [9, 9]
        assert fragile.store.all(Row) == fragile.store.all(Dataset) == []
        (new / "broken").unlink()
        steps = rooms(fragile.turn())
        assert (steps["curate"].took, steps["curate"].error) == (9, "")
        assert (steps["customize"].gave, len(fragile.store.all(Row))) == (1, 9)
        assert fragile.champion("route") is not None
        assert rooms(fragile.turn())["curate"].took == 0

    def test_what_was_paid_before_it_failed_is_told(self, new, install, reopen):
        install("collect", "vendor", VENDOR)
        step = reopen(new, ("collect: {", "collect: {vendor: {basis: contract}, ")).advance("collect")
        assert step.error == "vendor: ValueError: the vendor sent rubbish"
        assert (step.cost, step.provider, step.gave) == (0.25, "vendor", 9)  # the other source went on

    def test_what_a_run_took_is_booked_once_also_when_its_passage_fails(self, desk, install, reopen):
        """A job for 2 dollars that is told in each passage, and 0.5 that are told once."""
        install("customize", "payer", PAYER)
        (desk / "broken").touch()
        wheel = reopen(desk, ("customize: {", "customize: {payer: {}, "))
        row = Row(text="parcel?", source="t", labels={"route": "parcel"})
        wheel.store.append([row, Dataset(name="n", task="route", role="train", rows=(row.id,), recipe="")])
        failed = wheel.advance("customize")
        assert "TypeError" in failed.error
        assert (failed.cost, failed.provider) == (0.5, "near")
        (desk / "broken").unlink()
        step = wheel.advance("customize")
        assert (step.cost, step.provider) == (2.5, "far, near")

    def test_a_task_that_cannot_be_taught_stops_no_other(self, new, reopen):
        seeds = "collect: {files: {path: seeds.jsonl, basis: no_personal_data, task: route},"
        old = "collect: {files: {path: seeds.jsonl, basis: no_personal_data},"
        wheel = reopen(new, ("tasks: {", "tasks: {risk: {kind: label}, "), (old, seeds))
        calls = [f"please call me about risk {i}" for i in range(3)]
        said = {"labels": {"risk": "high"}, "labelled_by": "expert", "purposes": ("training",)}
        wheel.store.append([Record(text=text, source="t", uri=f"t:{text}", **said) for text in calls])
        step = rooms(wheel.turn())["customize"]
        assert step.error.startswith("head, risk: task 'risk' has examples of 1 label")
        assert [model.task for model in wheel.store.all(Model)] == ["route"]
        step = rooms(wheel.turn())["customize"]
        assert (step.took, step.gave) == (0, 0)
        assert step.error.startswith("head, risk: ")

    def test_a_task_that_is_gone_from_the_settings_stops_no_other(self, desk, reopen):
        wheel = reopen(desk, ("tasks: {route: {", "tasks: {path: {"))
        model = Model(**MODEL, task="route")
        wheel.store.append([model])
        assert not [step.error for step in wheel.turn() if step.error]
        checks = {v.check for v in wheel.store.all(Verdict) if v.about == model.id}
        assert checks == {"guard.pii", "guard.secrets"}

    def test_a_model_that_nobody_can_open_has_failed_for_good(self, desk, reopen):
        wheel = reopen(desk)
        place = artefact.keep(wheel.store.artefacts, {"form": "nobody"})
        model = Model(**MODEL, task="route", uri=f"models/{place.name}")
        row = Row(text="parcel?", source="t", labels={"route": "parcel"}, role="holdout", at=time.time() + 60)
        sealed = Dataset(name="h", task="route", role="holdout", rows=(row.id,), recipe="")
        wheel.store.append([row, sealed, model])
        assert not [step.error for step in wheel.turn() if step.error]
        found = {v.check: v for v in wheel.store.all(Verdict) if v.about == model.id}
        assert (found["accuracy"].passed, found["promotion"].passed) == ("no", "no")
        assert "nobody reads the model" in found["accuracy"].reason
        assert rooms(wheel.turn())["evaluate"].took == 0

    def test_what_it_gave_before_it_failed_is_not_kept(self, desk, install, reopen):
        install("signals", "hasty", LISTENER)
        (desk / "broken").touch()
        wheel = reopen(desk, ("signals: {uncertainty", "signals: {hasty: {}, uncertainty"))
        for text in ("go", "stop"):
            wheel.ask("route", text)
        assert wheel.advance("signals").error.startswith("KeyError: 'stop' (stranger_hasty.py:")
        assert wheel.store.all(Signal) == []
        (desk / "broken").unlink()
        wheel.advance("signals")
        assert Counter(s.kind for s in wheel.store.all(Signal))["hasty"] == 2

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("'nothing we know'", "TypeError: a plugin gave 'nothing we know', which is no noun (ring.py:"),
            ("None", "TypeError: a plugin gave None, which is no noun (ring.py:"),
            (
                "Signal(exchange=7, **REST)",
                "StoreError: this signal cannot be kept: Expected `str`, got `int`",
            ),
        ],
    )
    def test_rubbish_from_a_plugin_fails_its_room_alone(self, given, said, desk, install, reopen):
        install("signals", "rubbish", RUBBISH.format(given=given))
        wheel = reopen(desk, ("signals: {uncertainty", "signals: {rubbish: {}, uncertainty"))
        wheel.ask("route", "where is it?")
        steps = wheel.turn()
        assert [s.room for s in steps if s.error] == ["signals"]
        assert rooms(steps)["signals"].error.startswith(said)
        assert wheel.store.all(Signal) == []
        assert rooms(wheel.turn())["signals"].took == 1

    def test_leaving_is_no_failure_and_leaves_nothing(self, desk, install, reopen):
        install("signals", "leave", "def leave(episode):\n    raise KeyboardInterrupt\n")
        wheel = reopen(desk, ("signals: {uncertainty", "signals: {leave: {}, uncertainty"))
        wheel.ask("route", "where is it?")
        before = wheel.store.counts()
        with pytest.raises(KeyboardInterrupt):
            wheel.advance("signals")
        assert wheel.store.counts() == before


class TestCounting:
    def test_what_it_took_gave_and_dropped_is_counted_by_reason(self, new, reopen):
        rows = [f'{{"text": "{text}", "label": "refund"}}\n' for text in ("No", "no", "x", "y" * 30)]
        with (new / "seeds.jsonl").open("a") as seeds:
            seeds.writelines(rows)
        steps = turned(reopen(new, ("length,", "length: {least: 2, most: 25},")))
        assert steps["collect"].gave == steps["curate"].took == 13
        assert steps["curate"].dropped == {"too short": 1, "too long": 1, "duplicate": 1}
        assert steps["curate"].gave == 10 + 1  # rows, and the training set that they make

    def test_what_is_stored_already_is_dropped(self, new, reopen):
        (new / "seeds.jsonl").write_text('{"text": "no label yet"}\n{"text": "none here either"}\n')
        assert reopen(new).advance("collect").gave == 2
        wheel = reopen(new, ("tasks: {", "tasks: {other: {kind: label}, "))  # another gap for the same file
        step = wheel.advance("collect")
        assert (step.took, step.gave, step.dropped) == (1, 0, {"stored already": 2})

    def test_work_takes_time(self, new, reopen):
        step = turned(reopen(new))["customize"]
        assert step.seconds > 0
        assert step.cpu_seconds > 0

    def test_a_passage_that_was_made_is_not_made_again(self, wheel):
        def passed(name):
            extra = wheel.handed.to_room("signals")
            return advance(wheel.store, "signals", name, 1, wheel.plugins, extra, "v")

        wheel.ask("route", "who are you?")
        first = passed("000001-signals")
        assert (first.took, first.gave) == (1, 1)
        wheel.ask("route", "and who is he?")
        assert passed("000001-signals") == first
        assert passed("000002-signals").took == 1


class TestOff:
    @pytest.mark.parametrize("room", door.ROOMS)
    def test_a_room_without_plugins_leaves_a_step_and_breaks_nothing(self, room, desk, reopen):
        settings = (desk / "flywheel.yaml").read_text().splitlines(keepends=True)
        (desk / "flywheel.yaml").write_text("".join(s for s in settings if not s.startswith(f"{room}:")))
        wheel = reopen(desk)
        exchange = wheel.ask("route", "where is the gift card", subject="p1")
        wheel.signal(exchange, correction="parcel")
        steps = turned(wheel)
        assert {name: step.error for name, step in steps.items()} == dict.fromkeys(TURN, "")
        assert {s.room for s in wheel.store.all(Step)} == set(TURN)
        if room not in ("curate", "serve", "signals"):  # without plugins too they freeze, promote, judge
            assert steps[room].gave == 0

    def test_all_rooms_off_leave_the_champion_where_it_is(self, desk, reopen):
        settings = (desk / "flywheel.yaml").read_text().splitlines(keepends=True)
        off = tuple(f"{room}:" for room in door.ROOMS)
        (desk / "flywheel.yaml").write_text("".join(s for s in settings if not s.startswith(off)))
        wheel = reopen(desk)
        champion = wheel.champion("route")
        exchange = wheel.ask("route", "where is the gift card")
        wheel.signal(exchange, correction="parcel")
        given = {s.room: s.gave for s in wheel.turn()}
        frozen = len(wheel.store.all(Record)) + 1  # a set never mixes recipes: all is frozen anew, uncleaned
        judged = 1  # the correction
        assert given == dict.fromkeys(TURN, 0) | {"signals": judged, "curate": frozen}
        assert wheel.champion("route") == champion
        assert len(wheel.store.all(Model)) == 1


class TestOrder:
    def test_every_room_has_a_place_in_the_turn(self):
        assert sorted(TURN) == sorted(ROOMS) == sorted(door.ROOMS)

    def test_each_room_takes_what_another_gives(self):
        given = {module.ARROW.gives for module in RING.values()}
        assert {module.ARROW.takes for module in RING.values()} == given
        assert given <= set(KINDS)

    def test_what_a_turn_needs_is_made_before_it_within_the_turn(self):
        assert TURN.index("signals") < TURN.index("study") < TURN.index("collect") < TURN.index("curate")
        assert TURN.index("curate") < TURN.index("customize") < TURN.index("serve") < TURN.index("velocity")
        assert max(TURN.index("evaluate"), TURN.index("guard")) < TURN.index("serve")

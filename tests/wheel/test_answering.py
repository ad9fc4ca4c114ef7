"""From a question to an Exchange: guards first, then the champion, or a person."""

import time
from math import nextafter

import msgspec
import pytest

from openflywheel.base.champion import CASCADE, PROMOTION, ROLLBACK
from openflywheel.base.errors import EncoderError, SettingsError, StoreError
from openflywheel.base.holdout import SPOT
from openflywheel.base.ids import event_id
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import KINDS, Exchange, Model, Row, Verdict
from openflywheel.base.settings import read
from openflywheel.wheel import opening
from openflywheel.wheel.flywheel import Flywheel

SECRET = "ann.perkins@example.com"
REFUSING = ("{pii: {}", "{pii: {mode: refuse}")


def everything(folder, wheel):
    """All that a wheel's store holds, as bytes: its files, and the rows that lie in them compressed."""
    rows = [repr(wheel.store.table(kind).to_pylist()) for kind in KINDS]
    wheel.close()
    files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"".join([*files, *(row.encode() for row in rows)])


def another(wheel, **fields):
    """A model beside the champion that answers as it does, kept in the store."""
    model = msgspec.structs.replace(wheel.champion("route"), id="", name="another", **fields)
    wheel.store.append([model])
    return model


def serve(wheel, model, check=PROMOTION):
    wheel.store.append([Verdict(check=check, about=model.id, task="route", passed="yes", reason=check)])


def later(monkeypatch, seconds):
    """Let the clock go on."""
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + seconds)


class TestGuards:
    def test_what_they_find_is_redacted_before_anything_is_stored(self, desk, wheel):
        exchange = wheel.ask("route", f"refund me now, marmalade, {SECRET}")
        assert exchange.input == "refund me now, marmalade, <email>"
        assert [(v.check, v.passed, v.n, v.reason) for v in exchange.verdicts] == [
            ("pii", "yes", 1, "1 email")
        ]
        assert exchange.output == "refund"
        wheel.signal(exchange, correction="refund")
        wheel.turn()
        found = everything(desk / "wheel", wheel)
        assert b"marmalade" in found
        assert SECRET.encode() not in found

    def test_what_they_refuse_goes_to_a_person_and_is_stored_nowhere(self, desk, reopen):
        wheel = reopen(desk, REFUSING)
        exchange = wheel.ask("route", f"refund me now, marmalade, {SECRET}")
        assert (exchange.input, exchange.output, exchange.choices, exchange.confidence) == ("", "", (), 0)
        assert (exchange.variant, exchange.cost) == ("person", 4)
        assert [(v.check, v.passed) for v in exchange.verdicts] == [("pii", "no")]
        wheel.signal(exchange, label="refund")
        assert {s.room: s.gave for s in wheel.turn()}["collect"] == 0
        found = everything(desk / "wheel", wheel)
        assert exchange.id.encode() in found
        assert b"marmalade" not in found
        assert SECRET.encode() not in found

    def test_the_others_are_answered_beside_a_refused_one(self, desk, reopen):
        wheel = reopen(desk, REFUSING)
        texts = ["where is my parcel", f"refund {SECRET}", "refund me now"]
        assert [e.output for e in wheel.ask_many("route", texts)] == ["parcel", "", "refund"]
        assert [e.output for e in wheel.ask_many("route", texts[1:2])] == [""]

    def test_all_of_them_look(self, wheel):
        exchange = wheel.ask("route", f"my password is hunter22! write to {SECRET}")
        assert exchange.input == "my password is <secret> write to <email>"
        assert {v.check for v in exchange.verdicts} == {"pii", "secrets"}

    def test_off_they_let_everything_through(self, desk, reopen):
        exchange = reopen(desk, ("guard: {pii: {}, secrets: {}}\n", "")).ask("route", SECRET)
        assert (exchange.input, exchange.verdicts) == (SECRET, ())


class TestCascade:
    TEXTS = ("where is my parcel", "refund me now", "login", "who are you", "", "parcel refund login")

    def test_a_person_answers_below_chows_threshold(self, wheel):
        exchanges = wheel.ask_many("route", self.TEXTS)
        threshold = 1 - (4 - 0.5) / 6
        assert [bool(e.output) for e in exchanges] == [e.confidence >= threshold for e in exchanges]
        assert {bool(e.output) for e in exchanges} == {True, False}
        assert [len(e.choices) for e in exchanges] == [3, 3, 3, 3, 0, 3]

    @pytest.mark.parametrize(
        ("change", "answered"),
        [
            (("serve: {cascade: {}}\n", ""), True),
            (("cascade: {}", "cascade: {route: {least: 0.0}}"), True),
            (("cascade: {}", "cascade: {route: {least: 1.0}}"), False),
            (("error: 6", "error: 1"), True),  # a person costs more than an error
            (("person: 4", "person: 0"), False),
        ],
    )
    def test_settings_say_who_answers(self, change, answered, desk, reopen):
        exchanges = reopen(desk, change).ask_many("route", ["who are you", "where is my parcel"])
        assert {bool(e.output) for e in exchanges} == {answered}

    def test_a_call_costs_and_a_person_costs_beside_it(self, wheel):
        sure, unsure = wheel.ask_many("route", ["where is my parcel", "who are you"])
        assert (bool(sure.output), sure.cost) == (True, 0.5)
        assert (bool(unsure.output), unsure.cost) == (False, 4.5)

    def test_before_there_is_a_model_only_the_person_costs(self, new, reopen):
        assert reopen(new).ask("route", "where is my parcel").cost == 4

    def test_the_settings_under_which_it_was_answered_are_kept(self, wheel):
        assert wheel.ask("route", "where is my parcel").settings == wheel.settings.version


class TestRiskControl:
    """A cascade with an error: the champion answers as far as it was certified."""

    STRICT = ("cascade: {}", "cascade: {route: {error: 0.5}}")
    SPOTS = ("audit: {}", "spotcheck: {per_turn: 8}, audit: {}")

    @pytest.fixture
    def strict(self, desk, reopen):
        return reopen(desk, self.STRICT)

    @staticmethod
    def certify(wheel, score, *, about=None, passed="yes", high=0.5):
        about = about or wheel.champion("route").id
        said = {"check": CASCADE, "about": about, "task": "route", "passed": passed, "reason": event_id()}
        wheel.store.append([Verdict(**said, score=score, high=high)])

    @staticmethod
    def answers(wheel):
        return bool(wheel.ask("route", "where is my parcel").output)

    def test_until_something_is_certified_a_person_answers_everything(self, strict):
        exchange = strict.ask("route", "where is my parcel")
        assert (exchange.output, exchange.choices[0]) == ("", "parcel")

    def test_the_newest_certificate_about_the_champion_is_noticed_at_once(self, strict):
        sure = strict.ask("route", "where is my parcel").confidence
        self.certify(strict, sure)
        assert self.answers(strict)
        self.certify(strict, nextafter(sure, 1))
        assert not self.answers(strict)
        self.certify(strict, 0.0)
        assert self.answers(strict)
        self.certify(strict, None, passed="inconclusive", high=None)
        assert not self.answers(strict)

    def test_that_of_another_model_says_nothing_about_the_champion(self, strict):
        self.certify(strict, 0.0, about=another(strict).id)
        assert not self.answers(strict)

    def test_a_new_champion_answers_nothing_until_it_is_certified_itself(self, strict):
        self.certify(strict, 0.0)
        second = another(strict)
        serve(strict, second)
        assert not self.answers(strict)
        self.certify(strict, 0.0)
        assert self.answers(strict)

    def test_a_stricter_error_in_the_settings_closes_what_was_certified_for_a_larger_one(self, desk, reopen):
        wheel = reopen(desk, self.STRICT)
        self.certify(wheel, 0.0)
        assert self.answers(wheel)
        assert not self.answers(reopen(desk, ("error: 0.5", "error: 0.4")))

    def test_a_task_that_is_not_there_is_refused_when_the_wheel_is_opened(self, desk, reopen):
        with pytest.raises(SettingsError, match="serve.cascade: there is no task 'rout'"):
            reopen(desk, ("cascade: {}", "cascade: {rout: {error: 0.5}}"))

    def test_experts_answer_a_random_sample_and_the_model_may_speak(self, desk, reopen):
        wheel = reopen(desk, self.STRICT, self.SPOTS)
        people = [f"p{i}" for i in range(90)]
        asked = wheel.ask_many("route", ["where is my parcel"] * len(people), subjects=people)
        assert {e.output for e in asked} == {""}
        wheel.turn()
        drawn = [q for q in wheel.store.experts.open() if q.why == SPOT]
        assert len(drawn) == 8
        first = [v for v in wheel.store.all(Verdict) if v.check == CASCADE]
        assert [v.reason[-6:] for v in first] == ["5 more"]
        for question in drawn:
            wheel.signal(question.exchange, label="parcel")
        wheel.turn()
        found = wheel.store.all(Verdict)[-1]
        assert (found.check, found.passed, found.n, found.score) == (CASCADE, "yes", 8, 0)
        assert self.answers(wheel)
        assert not [r for r in wheel.store.all(Row) if r.role == "holdout" and r.labels["route"]]


class TestChampion:
    @pytest.fixture
    def damaged(self, wheel):
        """The first champion, and a second one that was promoted and lacks its weights."""
        first, files = wheel.champion("route"), {"config.json": b"{}"}
        said = {"form": "generator", "task": "route", "labels": ["parcel"]}
        place = artefact.keep(wheel.store.artefacts, said, files=files)
        wheel.ask("route", "refund")  # it is opened by who asks it first
        second = another(wheel, uri=f"models/{place.name}")
        serve(wheel, second)
        return first, second

    def test_while_a_new_one_cannot_be_opened_the_one_before_answers(self, damaged, wheel, caplog):
        first, second = damaged
        for _ in range(3):
            exchange = wheel.ask("route", "where is my parcel")
            assert (exchange.output, exchange.variant) == ("parcel", first.id)
        [told] = [record.getMessage() for record in caplog.records]
        begins = f"{second.id} was promoted for the task route and cannot be opened, {first.id} serves on: "
        assert told.startswith(begins)
        assert f"there is no checkpoint in {wheel.store.path / second.uri / 'checkpoint'}" in told
        assert told.endswith(f"(see: flywheel models show {second.id})")

    def test_it_is_tried_again_after_some_seconds_and_not_each_time(self, wheel, monkeypatch):
        first, second = wheel.champion("route"), another(wheel)
        wheel.ask("route", "refund")
        weights = wheel.store.path / first.uri / "weights.safetensors"
        whole = weights.read_bytes()
        weights.write_bytes(b"")
        serve(wheel, second)
        assert wheel.ask("route", "refund").variant == first.id
        weights.write_bytes(whole)
        assert wheel.ask("route", "refund").variant == first.id
        later(monkeypatch, opening.RETRY)
        assert wheel.ask("route", "refund").variant == second.id

    def test_one_that_was_promoted_after_it_is_opened_at_once(self, damaged, wheel, caplog):
        third = another(wheel, uri=damaged[0].uri, method="third")
        assert wheel.ask("route", "refund").variant == damaged[0].id
        serve(wheel, third)
        assert wheel.ask("route", "refund").variant == third.id
        serve(wheel, damaged[1])
        assert wheel.ask("route", "refund").variant == third.id
        assert len(caplog.records) == 1

    def test_what_was_certified_for_the_new_one_says_nothing_about_the_one_before(self, desk, reopen):
        wheel = reopen(desk, TestRiskControl.STRICT)
        TestRiskControl.certify(wheel, 0.0)
        first = wheel.champion("route")
        assert TestRiskControl.answers(wheel)
        second = another(wheel, uri="models/gone")
        serve(wheel, second)
        TestRiskControl.certify(wheel, 1.0, about=second.id)
        assert TestRiskControl.answers(wheel)
        TestRiskControl.certify(wheel, 1.0, about=first.id)
        assert not TestRiskControl.answers(wheel)

    def test_one_that_the_store_does_not_have(self, wheel):
        wheel.store.append([Verdict(check=PROMOTION, about="gone", task="route", passed="yes")])
        with pytest.raises(StoreError, match="the model gone was promoted, and the store does not have it"):
            wheel.ask("route", "refund")

    def test_a_promotion_and_a_rollback_are_noticed_at_once(self, wheel):
        first = wheel.champion("route")
        second = another(wheel)
        assert wheel.ask("route", "refund").variant == first.id
        serve(wheel, second)
        assert wheel.ask("route", "refund").variant == second.id
        serve(wheel, first, ROLLBACK)
        assert wheel.ask("route", "refund").variant == first.id

    @pytest.mark.parametrize("passed", ["no", "inconclusive"])
    def test_what_was_not_promoted_never_answers(self, passed, wheel):
        candidate = another(wheel)
        wheel.store.append([Verdict(check=PROMOTION, about=candidate.id, task="route", passed=passed)])
        wheel.store.append([Verdict(check="accuracy", about=candidate.id, task="route", passed="yes")])
        assert wheel.ask("route", "refund").variant == wheel.champion("route").id != candidate.id

    def test_each_task_has_its_own(self, desk, reopen):
        wheel = reopen(desk, ("tasks: {", "tasks: {price: {kind: label}, "))
        assert wheel.ask("price", "where is my parcel").variant == "person"
        assert wheel.ask("route", "where is my parcel").output == "parcel"

    def test_one_that_was_changed_on_disk_does_not_answer(self, desk, wheel, monkeypatch):
        weights = next((desk / "wheel" / "models").glob("*/weights.safetensors"))
        whole = weights.read_bytes()
        weights.write_bytes(whole[:-4] + b"\0\0\0\1")
        with pytest.raises(StoreError, match="was changed on disk"):
            wheel.ask("route", "where is my parcel")
        assert wheel.store.all(Exchange) == []
        weights.write_bytes(whole)
        with pytest.raises(StoreError, match="was changed on disk"):  # it is not read for every question
            wheel.ask("route", "where is my parcel")
        later(monkeypatch, opening.RETRY)
        assert wheel.ask("route", "where is my parcel").output == "parcel"

    def test_it_is_read_once_and_served_from_memory(self, desk, wheel):
        assert wheel.ask("route", "where is my parcel").output == "parcel"
        for file in (desk / "wheel" / "models").glob("*/*"):
            file.unlink()
        assert wheel.ask("route", "refund me now").output == "refund"
        assert len(wheel.store.all(Model)) == 1


class TestAnotherEncoder:
    """A champion that was taught on vectors which nobody makes any more."""

    @pytest.fixture
    def stranded(self, desk, wheel):
        wheel.close()
        settings = read(desk / "flywheel.yaml")

        class Other(NgramEncoder):
            name = "other"

        with Flywheel(settings, encoder=Other()) as reopened:
            yield reopened

    def test_asking_says_which_encoder_is_missing(self, stranded):
        with pytest.raises(
            EncoderError, match="taught on the encoder 'ngrams-1024-v1', this process has 'other'"
        ):
            stranded.ask("route", "where is my parcel")

    def test_its_answers_are_empty_so_that_a_new_model_can_take_over(self, stranded):
        assert stranded.handed.predict(stranded.champion("route"), ["where is my parcel"]) == [""]

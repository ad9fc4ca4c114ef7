"""Text tasks in this process: what was curated answers, and what people correct answers the next time."""

import threading
import time

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Exchange, Row
from openflywheel.serve.extractive import SOURCE
from openflywheel.wheel.extractive import own_variants

TEXT = (
    ("tasks: {", "tasks: {answer: {kind: text, costs: {call: 0.5, person: 4}}, "),
    (
        "serve: {",
        "serve: {extractive: {least: 0.35}, "
        "routes: {answer: {variants: {own: {model: flywheel/extractive}}}}, ",
    ),
    ("path: seeds.jsonl", "path: seeds.jsonl, task: route"),
)
HELD_OUT = 0.2  # share of people whose exchanges never teach: their keys differ from store to store
HELP = Row(text="Parcels arrive within five days. Returns are free.", source="test", uri="help.html")
PAYING = Row(
    text="how can I pay",
    source="test",
    uri="faq.csv",
    labels={"answer": "Cards, or cash."},
    labelled_by="seed",
)


@pytest.fixture
def wheel(new, reopen):
    opened = reopen(new, *TEXT)
    opened.store.append([HELP, PAYING])
    return opened


def cited(exchange):
    return [(v.about, v.reason) for v in exchange.verdicts if v.check == SOURCE]


class TestAsking:
    def test_a_curated_answer_is_given_whole_and_cited(self, wheel):
        exchange = wheel.ask("answer", "How can I pay?", subject="ann")
        assert (exchange.output, exchange.confidence, exchange.variant) == ("Cards, or cash.", 1, "own")
        assert cited(exchange) == [(PAYING.id, "faq.csv")]
        assert (exchange.cost, exchange.settings) == (0.5, wheel.settings.version)
        assert wheel.exchange(exchange.id) == exchange

    def test_a_document_gives_its_best_sentence(self, wheel):
        exchange = wheel.ask("answer", "when do parcels arrive")
        assert exchange.output == "Parcels arrive within five days."
        assert cited(exchange) == [(HELP.id, "help.html")]
        assert 0.35 <= exchange.confidence < 1

    def test_where_nothing_is_sure_enough_a_person_answers_and_sees_what_is_near(self, wheel):
        exchange = wheel.ask("answer", "do you pay for returns of bicycles")
        assert (exchange.output, exchange.cost, exchange.variant) == ("", 4.5, "own")
        assert exchange.choices[0] == "Returns are free."
        assert 0 < exchange.confidence < 0.35
        assert cited(exchange) == []

    def test_with_nothing_curated_a_person_answers(self, new, reopen):
        exchange = reopen(new, *TEXT).ask("answer", "when do parcels arrive")
        assert (exchange.output, exchange.confidence, exchange.choices) == ("", 0, ())

    def test_many_at_once_each_have_their_own(self, wheel):
        asked = wheel.ask_many("answer", ["how can I pay", "", "when do parcels arrive"])
        assert [e.output for e in asked] == ["Cards, or cash.", "", "Parcels arrive within five days."]

    def test_label_tasks_are_answered_as_before(self, wheel):
        assert wheel.ask("route", "how can I pay").variant == "person"


class TestWhatIsLookedAt:
    def test_new_rows_are_noticed_with_the_next_question(self, wheel):
        assert wheel.ask("answer", "are dogs welcome").output == ""
        dogs = Row(text="Are dogs welcome?", source="test", labels={"answer": "On a lead."})
        wheel.store.append([dogs])
        assert wheel.ask("answer", "are dogs welcome").output == "On a lead."

    def test_the_index_is_made_once(self, wheel):
        wheel.ask("answer", "how can I pay")
        index = wheel._answering._quoting.index("answer")
        wheel.ask("answer", "when do parcels arrive")
        assert wheel._answering._quoting.index("answer") is index

    def test_held_out_rows_are_never_quoted(self, wheel):
        wheel.store.append(
            [Row(text="are dogs welcome", source="test", labels={"answer": "No."}, role="holdout")]
        )
        exchange = wheel.ask("answer", "are dogs welcome")
        assert exchange.output != "No."
        assert "No." not in exchange.choices

    def test_expired_rows_are_not_quoted(self, wheel):
        past = time.time() - 1
        wheel.store.append(
            [Row(text="are dogs welcome", source="test", labels={"answer": "No."}, expires_at=past)]
        )
        assert "No." not in wheel.ask("answer", "are dogs welcome").choices

    def test_a_persons_words_stay_theirs(self, wheel):
        words = "I am Ann Perkins and I want my money back now."
        wheel.store.append([Row(text=words, source="test", subject="ann")])
        exchange = wheel.ask("answer", words)
        assert words not in (exchange.output, *exchange.choices)

    def test_what_has_moved_to_the_lake_is_still_found(self, wheel):
        wheel.store.flush()
        wheel.store.trim([], keep=0)
        assert wheel.ask("answer", "how can I pay").output == "Cards, or cash."

    def test_many_threads_ask_at_once(self, wheel):
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(wheel.ask("answer", "how can I pay").output))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["Cards, or cash."] * 8


class TestGuards:
    SECRET = "ann.perkins@example.com"

    def test_what_they_find_is_redacted(self, wheel):
        exchange = wheel.ask("answer", f"how can I pay {self.SECRET}")
        assert exchange.input == "how can I pay <email>"
        assert next(v.check for v in exchange.verdicts) == "pii"

    def test_what_they_refuse_goes_to_a_person(self, new, reopen):
        wheel = reopen(new, *TEXT, ("{pii: {}", "{pii: {mode: refuse}"))
        wheel.store.append([PAYING])
        exchange = wheel.ask("answer", f"how can I pay {self.SECRET}")
        assert (exchange.input, exchange.output, exchange.choices, exchange.variant) == ("", "", (), "person")
        assert (exchange.confidence, exchange.cost) == (0, 4)


class TestLoop:
    def test_an_experts_answer_is_given_to_the_next_who_asks(self, wheel):
        teaches = next(n for n in "abcdefghij" if share_of(wheel.store.key_of(n), "holdout") >= HELD_OUT)
        exchange = wheel.ask("answer", "are dogs welcome in the shop", subject=teaches)
        assert exchange.output == ""
        wheel.signal(exchange, label="Dogs are welcome on a lead.")
        assert not [step.error for step in wheel.turn() if step.error]
        again = wheel.ask("answer", "Are dogs welcome in the shop?", subject="bob")
        assert (again.output, again.confidence) == ("Dogs are welcome on a lead.", 1)
        [(row, uri)] = cited(again)
        assert (wheel.store.get(Row, [row])[row].text, uri) == ("are dogs welcome in the shop", "")
        near = wheel.ask("answer", "are big dogs welcome in your shop", subject="cy")
        assert near.output == "Dogs are welcome on a lead."
        assert near.confidence < 1


class TestSettings:
    def test_a_text_task_without_an_own_variant_says_what_to_add(self, new, reopen):
        wheel = reopen(new, TEXT[0])
        with pytest.raises(
            SettingsError, match=r"serve\.routes: no variant of the text task 'answer'"
        ) as raised:
            wheel.ask("answer", "how can I pay")
        assert "{answer: {variants: {own: {model: flywheel/extractive}}}}" in str(raised.value)
        assert wheel.store.all(Exchange) == []

    def test_without_its_table_the_default_threshold_holds(self, new, reopen):
        wheel = reopen(new, *TEXT, ("extractive: {least: 0.35}, ", ""))
        wheel.store.append([HELP])
        exchange = wheel.ask("answer", "when do parcels come")
        assert (exchange.output, bool(exchange.choices)) == ("", True)
        assert 0.2 < exchange.confidence < 0.5

    def test_the_variants_of_this_process_are_found(self, new, reopen):
        assert own_variants(reopen(new, *TEXT).settings) == {"answer": "own"}
        assert (
            own_variants(
                reopen(new, ("extractive: {least: 0.35}, ", ""), ("flywheel/extractive", "up/x")).settings
            )
            == {}
        )

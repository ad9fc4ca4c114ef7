"""What may be quoted, and what is found among it."""

import numpy as np
import pytest

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Row
from openflywheel.serve import _passages
from openflywheel.serve._passages import Index, Passage, passages

ENCODER = NgramEncoder()
FOR_EVER = 1e9


def answered(question, answer, by="seed", **fields):
    return Row(text=question, source="test", labels={"answer": answer}, labelled_by=by, **fields)


def document(text, **fields):
    return Row(text=text, source="test", **fields)


def search(found, question, now=0.0):
    index = Index(found, ENCODER)
    index.grow(FOR_EVER)
    return index.search([question], now)[0]


class TestWhatMayBeQuoted:
    def test_an_answer_whole_and_of_documents_their_sentences(self):
        rows = [
            document("We ship daily. Returns are free.", uri="help.html"),
            answered("how to return?", "Print. Pack. Send."),
        ]
        found = passages(rows, "answer")
        assert [(p.answer, p.whole) for p in found] == [
            ("Print. Pack. Send.", True), ("We ship daily.", False), ("Returns are free.", False),
        ]  # fmt: skip
        assert [p.uri for p in found] == ["", "help.html", "help.html"]
        assert found[0].text == "how to return? Print. Pack. Send."
        assert {p.row for p in found} == {row.id for row in rows}

    @pytest.mark.parametrize("role", ["holdout", "validation", "preference"])
    def test_what_the_wheel_is_examined_with_is_not(self, role):
        rows = [answered("how to return?", "Print.", role=role), document("We ship daily.", role=role)]
        assert passages(rows, "answer") == []

    def test_the_questions_of_other_tasks_are_not(self):
        rows = [Row(text="where is my parcel, please", source="test", labels={"route": "parcel"})]
        assert passages(rows, "answer") == []

    def test_nor_is_a_question_that_nobody_answered(self):
        assert passages([answered("where is my parcel, please", "")], "answer") == []

    def test_a_persons_own_words_are_not_but_their_answer_is(self):
        rows = [
            document("My name is Ann Perkins.", subject="ann"),
            answered("where is Ann's parcel?", "At the post.", by="user", subject="ann", uri="exchange:7"),
        ]
        [passage] = passages(rows, "answer")
        assert (passage.answer, passage.uri) == ("At the post.", "")

    def test_nor_where_a_nameless_person_asked(self):
        assert [p.uri for p in passages([answered("q", "a", uri="exchange:7")], "answer")] == [""]
        assert [p.uri for p in passages([answered("q", "a", uri="faq.csv")], "answer")] == ["faq.csv"]

    @pytest.mark.parametrize(
        ("said", "holds"),
        [
            ([("expert", "A"), ("user", "B")], "A"),
            ([("user", "A"), ("expert", "B")], "B"),
            ([("user", "A"), ("user", "B")], "B"),
            ([("seed", "A"), ("user", "B"), ("seed", "C")], "B"),
            ([("expert", "A"), ("seed", "B")], "A"),
            ([("seed", "A"), ("", "B"), ("nobody", "C")], "A"),
        ],
    )
    def test_of_several_answers_the_most_trusted_then_the_newest(self, said, holds):
        rows = [answered(" Who  pays ?!" if i else "who pays?", a, by) for i, (by, a) in enumerate(said)]
        assert [p.answer for p in passages(rows, "answer")] == [holds]

    def test_the_same_sentence_once(self):
        rows = [document("We ship daily. Page one here."), document("We ship daily. Page two here.")]
        assert sorted(p.answer for p in passages(rows, "answer")) == [
            "Page one here.", "Page two here.", "We ship daily.",
        ]  # fmt: skip

    def test_the_newest_when_there_are_too_many(self, monkeypatch):
        monkeypatch.setattr(_passages, "MOST", 3)
        rows = [document(f"Sentence number {i}. Another one {i}.") for i in range(4)]
        assert [p.answer for p in passages(rows, "answer")] == [
            "Sentence number 3.", "Another one 3.", "Sentence number 2.",
        ]  # fmt: skip


class TestSearch:
    ROWS = (
        document("Parcels arrive within five days. Big parcels arrive within ten days. Be well."),
        answered("which payment methods are there", "Cards and cash."),
    )

    def test_the_best_comes_first_with_where_it_stands(self):
        best, *rest = search(passages(self.ROWS, "answer"), "what payment methods do you have")
        assert (best.text, best.row) == ("Cards and cash.", self.ROWS[1].id)
        assert all(best.confidence > quote.confidence for quote in rest)
        assert 0 < best.confidence < 1

    def test_the_same_words_are_certain(self):
        best, *_ = search(passages(self.ROWS, "answer"), " Which PAYMENT methods are there?! ")
        assert (best.text, best.confidence) == ("Cards and cash.", 1)

    @pytest.mark.parametrize("other", ["what is C++?", "what is C#?", "what is c - c?"])
    def test_words_with_other_signs_are_other_words(self, other):
        best, *_ = search(passages([answered("what is C?", "A language.")], "answer"), other)
        assert best.confidence < 1

    def test_signs_without_words_are_not_the_same_words(self):
        quotes = search(passages([answered("?!", "Pardon?"), *self.ROWS], "answer"), "??")
        assert all(quote.confidence < 1 for quote in quotes)

    def test_a_sentence_as_good_beside_the_best_is_quoted_with_it(self):
        best, *_ = search(passages(self.ROWS, "answer"), "big parcels arrive within five days")
        assert best.text == "Parcels arrive within five days. Big parcels arrive within ten days."

    def test_one_that_is_not_as_good_is_not(self):
        best, *_ = search(passages(self.ROWS, "answer"), "be well")
        assert best.text == "Be well."

    def test_a_neighbour_of_another_document_is_not(self):
        rows = [document("Parcels arrive within five days."), document("Parcels arrive within ten days.")]
        best, *_ = search(passages(rows, "answer"), "parcels arrive within days")
        assert best.text in {row.text for row in rows}

    def test_what_has_expired_is_not_quoted(self):
        rows = [answered("who pays?", "Ann.", expires_at=100.0), answered("who pays what?", "Bob.")]
        found = passages(rows, "answer")
        assert [q.text for q in search(found, "who pays?", 99.0)] == ["Ann.", "Bob."]
        assert [q.text for q in search(found, "who pays?", 100.0)] == ["Bob."]

    def test_nothing_is_found_in_nothing(self):
        assert search([], "who pays?") == []
        assert Index([], ENCODER).search(["a", "b"], 0.0) == [[], []]
        assert Index([], ENCODER).search([], 0.0) == []

    def test_each_question_has_its_own(self):
        index = Index(passages(self.ROWS, "answer"), ENCODER)
        index.grow(FOR_EVER)
        asked = ("when do parcels arrive", "payment methods")
        together, alone = index.search(asked, 0.0), [index.search([q], 0.0)[0] for q in asked]
        assert [[q.text for q in one] for one in together] == [[q.text for q in one] for one in alone]
        assert together[0][0].text != together[1][0].text
        assert together[1][0].confidence == pytest.approx(alone[1][0].confidence)

    def test_one_answer_is_offered_once(self):
        rows = [answered(f"who pays for {what}?", "Ann.") for what in ("tea", "cake", "bread", "milk")]
        assert [q.text for q in search(passages(rows, "answer"), "who pays for jam?")] == ["Ann."]


class TestGrowing:
    FOUND = tuple(Passage(text=f"text {i}", answer=f"answer {i}", row=str(i)) for i in range(300))

    def test_with_little_patience_the_newest_are_there_first(self):
        index = Index(self.FOUND, ENCODER)
        index.grow(0.0)
        assert {int(q.row) for q in index.search(["text 299"], 0.0)[0]} <= set(range(_passages.BLOCK))
        index.grow(0.0)
        assert index.search(["text 299"], 0.0)[0][0].row == "299"

    def test_nothing_is_embedded_twice(self):
        asked = []

        class Counting(NgramEncoder):
            def encode(self, texts):
                asked.extend(texts)
                return super().encode(texts)

        index = Index(self.FOUND, Counting())
        for _ in range(3):
            index.grow(FOR_EVER)
        assert asked == [p.text for p in self.FOUND]

    def test_before_anything_is_embedded_nothing_is_found(self):
        assert Index(self.FOUND, ENCODER).search(["text 1"], 0.0) == [[]]

    def test_vectors_are_compared_and_not_only_words(self):
        class Flat:
            width = 2

            def encode(self, texts):
                return np.array([[1, 0] if "cat" in t or "pet" in t else [0, 1] for t in texts], np.float32)

        index = Index([Passage(text=t, answer=t, row=t) for t in ("a dog", "a cat")], Flat())
        index.grow(FOR_EVER)
        assert [(q.text, q.confidence) for q in index.search(["pet"], 0.0)[0]] == [("a cat", 1)]

"""How near documents and links come to examples."""

import numpy as np

from openflywheel.collect._value.likeness import DOCUMENT, PASSAGES, REMEMBERED, WINDOW, Likeness

EXAMPLES = ["where can I throw away an old battery", "which shoes are for trail running"]
BATTERIES = "Batteries: the disposal of a battery. Recycle batteries, never throw them into the bin. "
SHOES = "Trail shoes: choose the size of running shoes so that they fit. "
PARKING = "Parking: the car park has one entrance and sells tickets at night. "


def test_the_right_document_is_nearest_to_its_example(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    near, new = likeness.of_document(BATTERIES * 3)
    assert near[0] > 0.8
    assert near[1] < 0.3
    assert np.array_equal(near, new)
    assert (likeness.of_document(PARKING)[0] < 0.3).all()


def test_an_answer_deep_in_a_long_document_is_found(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    deep = PARKING * 200 + BATTERIES * 8 + PARKING * 200
    assert likeness.of_document(deep)[0][0] > 0.8


def test_of_a_long_document_few_passages_are_encoded(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    encoder.texts.clear()
    likeness.of_document(PARKING * 5_000)
    assert len(encoder.texts) == PASSAGES
    assert max(len(text.split()) for text in encoder.texts) == WINDOW


def test_an_empty_document_is_near_to_nothing(encoder):
    near, new = Likeness(EXAMPLES, encoder).of_document(" \n ")
    assert near.tolist() == new.tolist() == [0, 0]


def test_what_is_stored_already_is_not_new(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    stored = BATTERIES * 4
    likeness.remember([stored, PARKING * 6])
    near, new = likeness.of_document(stored)
    assert near[0] > 0.8
    assert new[0] < 0.01
    assert likeness.of_document(SHOES * 4)[1][1] > 0.8  # the other example is as open as before


def test_stored_questions_are_no_documents(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    assert len(EXAMPLES[0]) < DOCUMENT
    likeness.remember([*EXAMPLES, BATTERIES])
    assert likeness.of_document(BATTERIES * 4)[1][0] > 0.8


def test_links_are_encoded_once(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    texts = ["battery disposal", "trail shoes", "battery disposal"]
    encoder.texts.clear()
    first = likeness.of_short(texts, likeness.lexicon.overlap(texts))
    assert encoder.texts == ["battery disposal", "trail shoes"]
    assert np.array_equal(first, likeness.of_short(texts, likeness.lexicon.overlap(texts)))
    assert len(encoder.texts) == 2
    assert first[0, 0] > first[1, 0]
    assert np.array_equal(first[0], first[2])


def test_the_memory_of_links_is_bounded(encoder):
    likeness = Likeness(EXAMPLES, encoder)
    for start in range(0, 3 * REMEMBERED, 500):
        texts = [f"link {i}" for i in range(start, start + 500)]
        likeness.of_short(texts, np.zeros((500, 2)))
    assert len(likeness._short) <= REMEMBERED

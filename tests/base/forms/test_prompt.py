import json
from functools import partial

import numpy as np
import pytest

from openflywheel.base.errors import EncoderError, StoreError
from openflywheel.base.forms import prompt as prompted
from openflywheel.base.forms.prompt import Pool, Prompted, Sureness, answered, keep, opened, user
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Labelling, Writing
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.instruments.prompting import Example, Template
from openflywheel.serve.providers import Provider
from openflywheel.wheel.asking import AskFailed, ask

ENCODER = NgramEncoder()
KNOWN = (
    Example("r1", "where is my parcel", "parcel"),
    Example("r2", "i want my money back", "refund"),
    Example("r3", "i cannot log in", "login"),
)
LABELS = ("login", "parcel", "refund")


def asking(fake):
    return partial(ask, providers={"fake": Provider(url=fake.url)})


def made(fake, k=2, **template):
    vectors = ENCODER.encode([example.text for example in KNOWN])
    kind = Template(**{"kind": "label", "instructions": "Sort it.", "labels": LABELS, **template})
    return Prompted(kind, Pool(KNOWN, vectors), k, "fake/small", Sureness(0.9, 0.6), asking(fake), ENCODER)


def prompts(fake):
    return [request.body["messages"][0]["content"] for request in fake.requests()]


def test_the_nearest_examples_come_first_and_barred_ones_never():
    pool = Pool(KNOWN, ENCODER.encode([example.text for example in KNOWN]))
    vectors = ENCODER.encode(["my parcel, where is it", "money back please"])
    assert [next(e.row for e in found) for found in pool.nearest(vectors, 2)] == ["r1", "r2"]
    barred = np.array([[True, False, True], [True, True, True]])
    assert [[e.row for e in found] for found in pool.nearest(vectors, 2, barred)] == [["r2"], []]
    assert pool.nearest(vectors[:0], 2) == []
    assert len(pool.nearest(vectors, 9)[0]) == 3


def test_the_model_is_shown_the_nearest_demonstrations(fake):
    fake.script({"rules": [{"answer": "parcel"}]})
    made(fake, k=1).probabilities(["where is my parcel now"])
    [prompt] = prompts(fake)
    assert "where is my parcel\n</question>\n<answer>\nparcel" in prompt
    assert "money back" not in prompt


def test_a_label_is_as_sure_as_was_measured(fake):
    fake.script({"rules": [{"answer": "parcel"}]})
    agreed, alone = made(fake).probabilities(["where is my parcel now", "i want my money back now"])
    assert agreed == pytest.approx([0.05, 0.9, 0.05])
    assert alone == pytest.approx([0.2, 0.6, 0.2])


def test_no_answer_has_no_likeliest_label(fake):
    fake.script({"rules": [{"answer": "I am not sure, maybe a refund?"}]})
    assert made(fake).probabilities(["x"])[0] == pytest.approx([1 / 3] * 3)


def test_what_the_model_said_stays_the_likeliest_label_even_when_it_is_mostly_wrong(fake):
    fake.script({"rules": [{"answer": "refund"}]})
    unsure = Prompted(*[getattr(made(fake), name) for name in ("template", "pool", "k", "model")],
                      Sureness(0.1, 0.1), asking(fake), ENCODER)  # fmt: skip
    found = unsure.probabilities(["x"])[0]
    assert found.argmax() == LABELS.index("refund")
    assert found.sum() == pytest.approx(1)


def test_answers_stay_in_order_when_many_are_asked_at_once(fake):
    texts = [f"text number {n} of all" for n in range(12)]
    fake.script(
        {
            "rules": [
                {"contains": f"{t}\n</question>\n\n", "answer": LABELS[n % 3]} for n, t in enumerate(texts)
            ]
        }
    )
    best = made(fake, k=0).probabilities(texts).argmax(axis=1)
    assert best.tolist() == [n % 3 for n in range(12)]
    assert made(fake).probabilities([]).shape == (0, 3)


def test_it_writes_the_next_message_and_no_more_than_it_may(fake):
    fake.script({"rules": [{"answer": "It is on its way."}]})
    writing = made(fake, kind="text", labels=())
    chat = [{"role": "user", "content": "hi"}, {"role": "user", "content": "where is my parcel?"}]
    assert writing.write([chat]) == ["It is on its way."]
    assert '<turn role="user">\nwhere is my parcel?' in prompts(fake)[0]
    assert writing.write([chat], most_tokens=2) == ["It is on"]


def test_a_model_that_does_not_answer_is_an_error():
    nobody = partial(ask, providers={"fake": Provider(url="http://127.0.0.1:9/v1", connect=1.0)})
    with pytest.raises(AskFailed, match="gave no answer"):
        answered(Template("text", "x"), [user("q"), user("r")], [(), ()], partial(nobody, model="fake/small"))


def test_it_is_kept_and_opened_again(fake, tmp_path):
    fake.script({"rules": [{"answer": "parcel"}]})
    before = made(fake, nearest_last=False)
    place = keep(before, tmp_path, method="prompt", task="route", taught_by=["d"], report={"accuracy": 0.5})
    after = opened(place, encoder=ENCODER, ask=asking(fake))
    assert isinstance(after, Labelling)
    assert isinstance(after, Writing)
    assert (after.template, after.pool.examples, after.k) == (before.template, KNOWN, 2)
    assert (after.model, after.sureness) == ("fake/small", Sureness(0.9, 0.6))
    assert after.probabilities(["where?"]) == pytest.approx(before.probabilities(["where?"]))
    said = artefact.manifest(place)
    assert (said["form"], said["base"]) == ("prompt", {"name": "fake/small"})
    assert (
        keep(before, tmp_path, method="prompt", task="route", taught_by=["d"], report={"accuracy": 0.5})
        == place
    )


def test_the_demonstrations_of_a_person_can_be_found_by_their_rows(fake, tmp_path):
    place = keep(made(fake), tmp_path, task="route")
    kept = json.loads((place / prompted.EXAMPLES).read_text())
    assert [each["row"] for each in kept] == ["r1", "r2", "r3"]


def test_without_demonstrations_nobodys_text_is_kept(fake, tmp_path):
    place = keep(made(fake, k=0), tmp_path, task="route")
    assert json.loads((place / prompted.EXAMPLES).read_text()) == []

    class Another(NgramEncoder):
        name = "another"

    assert opened(place, encoder=Another(), ask=asking(fake)).k == 0


def test_another_encoder_and_a_changed_file_are_refused(fake, tmp_path):
    place = keep(made(fake), tmp_path, task="route")

    class Another(NgramEncoder):
        name = "another"

    with pytest.raises(EncoderError, match="by the encoder 'ngrams-1024-v1', this process has 'another'"):
        opened(place, encoder=Another(), ask=asking(fake))
    (place / prompted.EXAMPLES).write_text("[]")
    with pytest.raises(StoreError, match="demonstrations.json is missing or another one"):
        opened(place, encoder=ENCODER, ask=asking(fake))

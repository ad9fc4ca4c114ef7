"""A tuned model at a provider, opened and asked."""

import json
import math

import numpy as np
import pytest

from openflywheel.base.errors import SettingsError, StoreError
from openflywheel.base.forms import hosted
from openflywheel.base.forms.hosted import Hosted, keep, opened, with_system
from openflywheel.base.instruments.account import Account, ProviderRefused
from openflywheel.base.instruments.answers import Labelling, Writing
from openflywheel.serve.providers import Provider

LABELS = ("cancel", "refund", "track")


@pytest.fixture
def far(fake):
    return Account("far", Provider(url=fake.url))


def told(fake, **answers):
    fake.script({"rules": [{"contains": text, "answer": answer} for text, answer in answers.items()]})


def test_a_label_gets_the_probability_of_its_tokens(fake, far):
    told(fake, money="refund", parcel="track")
    found = Hosted(far, "tuned", labels=LABELS).probabilities(["my money", "a parcel"])
    assert found.shape == (2, 3)
    assert found.dtype == np.float32
    refund, track = math.exp(-0.2), math.exp(-0.2)  # two tokens each: four characters, and the rest
    assert found[0] == pytest.approx([(1 - refund) / 2, refund, (1 - refund) / 2], abs=1e-5)
    assert found[1, 2] == pytest.approx(track, abs=1e-5)
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-6)


def test_the_temperature_makes_it_surer_or_less_sure(fake, far):
    told(fake, money="refund")
    made = [Hosted(far, "tuned", labels=LABELS, sharpness=sharpness) for sharpness in (1.0, 3.0, 0.3)]
    plain, sharp, flat = (one.probabilities(["money"])[0, 1] for one in made)
    assert flat < plain < sharp


@pytest.mark.parametrize("said", ["Refund", "refund.", "It is refund", "", "none"])
def test_what_is_no_label_to_the_letter_makes_all_equal(fake, far, said):
    told(fake, money=said)
    found = Hosted(far, "tuned", labels=LABELS, sharpness=5.0).probabilities(["money"])
    assert found[0] == pytest.approx([1 / 3] * 3)


def test_space_round_a_label_is_none_of_it(fake, far):
    told(fake, money=" refund\n")
    assert Hosted(far, "tuned", labels=LABELS).probabilities(["money"]).argmax() == 1


def test_without_logprobs_the_measured_share_counts(fake, far):
    told(fake, money="refund")
    made = Hosted(far, "tuned", labels=LABELS, measured=0.8, logprobs=False)
    assert made.probabilities(["money"])[0] == pytest.approx([0.1, 0.8, 0.1], abs=1e-6)
    assert "logprobs" not in fake.requests()[0].body


def test_a_single_label_is_certain(fake, far):
    told(fake, money="refund")
    assert Hosted(far, "tuned", labels=("refund",)).probabilities(["money"]).tolist() == [[1.0]]


def test_nothing_asked_asks_nobody(fake, far):
    made = Hosted(far, "tuned", labels=LABELS)
    assert made.probabilities([]).shape == (0, 3)
    assert made.write([]) == []
    assert fake.requests() == []


def test_the_instruction_goes_before_every_chat(fake, far):
    made = Hosted(far, "tuned", "be brief", LABELS)
    made.probabilities(["money"])
    made.write([[{"role": "user", "content": "hello"}]], most_tokens=9)
    first, second = (seen.body for seen in fake.requests())
    assert first["messages"][0] == second["messages"][0] == {"role": "system", "content": "be brief"}
    assert (first["logprobs"], first["temperature"], first["model"]) == (True, 0, "tuned")
    assert second["max_tokens"] == 9


def test_a_chat_keeps_its_own_instruction():
    chat = [{"role": "system", "content": "own"}, {"role": "user", "content": "x"}]
    assert with_system(chat, "ours") == chat
    assert with_system(chat[1:], "ours")[0]["content"] == "ours"
    assert with_system(chat[1:], "") == chat[1:]


def test_texts_are_written_in_their_order(far):
    chats = [[{"role": "user", "content": f"number {i}"}] for i in range(12)]
    assert Hosted(far, "m").write(chats) == [f"Echo: number {i}" for i in range(12)]


def test_a_text_is_as_long_as_it_may_be(far):
    assert Hosted(far, "m").write([[{"role": "user", "content": "hello"}]], most_tokens=2) == ["Echo: he"]


def test_a_model_is_kept_and_opened(fake, far, tmp_path):
    told(fake, money="refund")
    made = Hosted(far, "tuned", "be brief", LABELS, 2.0, 0.7, True)
    place = keep(made, tmp_path, task="route", kind="label", report={"accuracy": 0.9})
    again = opened(place, providers={"far": Provider(url=fake.url)})
    assert isinstance(again, Labelling)
    assert isinstance(again, Writing)
    assert (again.model, again.system, again.labels) == (made.model, made.system, made.labels)
    assert again.probabilities(["money"]).tolist() == made.probabilities(["money"]).tolist()


def test_no_key_and_no_address_are_kept(fake, tmp_path):
    account = Account("far", Provider(url=fake.url, key="sk-secret"))
    place = keep(Hosted(account, "tuned"), tmp_path, task="route")
    said = "".join(path.read_text() for path in place.iterdir())
    assert "sk-secret" not in said
    assert fake.url not in said
    assert json.loads((place / "manifest.json").read_text())["form"] == hosted.FORM


def test_opening_needs_the_provider(far, tmp_path):
    place = keep(Hosted(far, "tuned"), tmp_path, task="route")
    with pytest.raises(SettingsError, match="no provider 'far'"):
        opened(place, providers={})


def test_a_changed_model_is_refused(far, tmp_path):
    place = keep(Hosted(far, "tuned"), tmp_path, task="route")
    (place / "README.md").write_text("another")
    with pytest.raises(StoreError):
        opened(place, providers={"far": Provider(url="http://x/v1")})


def test_a_model_that_the_provider_has_no_more_is_told(far):
    with pytest.raises(ProviderRefused, match="does not exist"):
        Hosted(far, "ft:gone", labels=LABELS).probabilities(["money"])

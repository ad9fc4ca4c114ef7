import json
from collections import Counter

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Row
from openflywheel.customize._moe.domains import routed

ENCODER = NgramEncoder()
FLIGHTS = ["book a flight to rome", "cancel my flight", "change the flight to monday", "a flight to oslo"]
PHONES = [
    "my phone is broken",
    "a new phone contract",
    "the phone has no signal",
    "cancel the phone contract",
]


def row(text, domain="", **more):
    return Row(
        text=text, source="test", labels={"t": "yes"}, meta={"domain": domain} if domain else {}, **more
    )


def named():
    return [row(t, "air") for t in FLIGHTS] + [row(t, "mobile") for t in PHONES]


def test_domains_are_those_that_rows_name():
    judging = [row("is there a flight to paris"), row("the phone is lost", "air")]
    found = routed(named(), judging, 4, "t", ENCODER, 0)
    assert found.teaching == ["air"] * 4 + ["mobile"] * 4
    assert found.judging == ["air", "mobile"]  # what the router says, for it will choose when it serves
    assert found.router.labels == ("air", "mobile")
    assert found.router.encoder == ENCODER.name
    assert found.right == 0  # of the one row that names its domain


def test_the_router_is_judged_by_rows_that_it_did_not_learn_from():
    judging = [row("a flight to bern", "air"), row("phone contract", "mobile"), row("the flight", "mobile")]
    assert routed(named(), judging, 4, "t", ENCODER, 0).right == pytest.approx(2 / 3)
    assert 0.5 < routed(named(), [row("a flight")], 4, "t", ENCODER, 0).right <= 1  # left-out rows


def test_without_names_clusters_stand_for_domains():
    found = routed([row(t) for t in FLIGHTS + PHONES], [], 2, "t", ENCODER, 0)
    assert set(found.router.labels) == {"cluster-0", "cluster-1"} == set(found.teaching)
    assert Counter(found.teaching[:4]).most_common(1)[0][1] >= 3
    assert found.judging == []
    again = routed([row(t) for t in FLIGHTS + PHONES], [], 2, "t", ENCODER, 0)
    assert again.teaching == found.teaching


def test_a_row_without_a_name_makes_clusters_of_all():
    found = routed([*named(), row("hello")], [], 3, "t", ENCODER, 0)
    assert all(name.startswith("cluster-") for name in found.teaching)


def test_there_are_no_more_clusters_than_questions():
    found = routed([row(t) for t in FLIGHTS[:2] * 4], [], 6, "t", ENCODER, 0)
    assert len(set(found.teaching)) == 2


def test_the_whole_conversation_of_a_person_tells_the_domain():
    said = [
        {"role": "user", "content": "my phone is broken and has no signal"},
        {"role": "assistant", "content": "book a flight"},
        {"role": "user", "content": "yes please"},
    ]
    chat = Row(text="yes please", source="test", labels={"t": "yes"}, meta={"chat": json.dumps(said)})
    assert routed(named(), [chat], 2, "t", ENCODER, 0).judging == ["mobile"]


@pytest.mark.parametrize("rows", [[row(t, "air") for t in FLIGHTS], [row("the same")] * 5])
def test_one_domain_is_refused(rows):
    with pytest.raises(SettingsError, match="task 't': all . examples are of one domain.*customize.lora"):
        routed(rows, [], 4, "t", ENCODER, 0)

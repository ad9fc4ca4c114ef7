"""What `flywheel signals` shows of a wheel that people have used."""

from contextlib import closing

from openflywheel.base.nouns import Reading, Verdict
from openflywheel.base.quarantine import QUARANTINE
from openflywheel.base.validity import PREFIX
from openflywheel.store import Store


def test_what_is_heard_stands_above_what_is_not(desk, flywheel):
    lines = flywheel("signals").stdout.splitlines()
    (rating,) = [line for line in lines if line.split()[:1] == ["correction"]]
    assert rating.split()[:2] == ["correction", "4"]
    assert rating.endswith("1.00   said outright (user)")
    (debt,) = [n for n, line in enumerate(lines) if line.startswith("Signals debt: ")]
    assert lines.index(rating) < debt
    assert "  outcome: whether the answer paid, which people need not tell" in lines[debt:]


def test_at_least_three_are_owed_with_what_to_do(desk, ask_json):
    owed = ask_json("signals")["owed"]
    assert len(owed) >= 3
    assert {"outcome", "demonstration", "conversations", "returns"} <= {o["signal"] for o in owed}
    assert not {"correction", "comment", "subjects"} & {o["signal"] for o in owed}
    assert all(o["teaches"] and o["how"] for o in owed)


def test_a_validity_is_shown_with_its_interval_and_weight(desk, flywheel):
    with closing(Store(desk / "wheel")) as store:
        store.append(
            [Reading(name=f"{PREFIX}uncertainty", value=0.4, low=0.21, high=0.56, note="rated -0.5 with it")]
        )
    (line,) = [x for x in flywheel("signals").stdout.splitlines() if x.split()[:1] == ["uncertainty"]]
    assert line.endswith("0.40   correlation +0.40 (0.21 to 0.56): rated -0.5 with it")


def test_before_anybody_spoke_only_the_debt_is_shown(bare, flywheel):
    flywheel("init")
    lines = flywheel("signals").stdout.splitlines()
    assert lines[0] == "No signals yet."
    assert lines[2].startswith("Signals debt: ")


def test_what_is_quarantined_is_named_with_the_rule(desk, flywheel, ask_json):
    refused = [
        Verdict(check=QUARANTINE, about=f"{n}", passed="no", task="intent", reason=f"{rule}: so many")
        for n, rule in enumerate(["blind", "campaign", "campaign"])
    ]
    before = ask_json("signals")["quarantined"]
    with closing(Store(desk / "wheel")) as store:
        store.append(refused)
    after = ask_json("signals")["quarantined"]
    assert after == {**before, "campaign": 2, "blind": before.get("blind", 0) + 1}
    (line,) = [x for x in flywheel("signals").stdout.splitlines() if x.startswith("Quarantined")]
    assert "campaign 2" in line

"""All listeners in a real wheel: what people show is heard, and believed once it is known to mean it."""

from openflywheel.base import door
from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.validity import PREFIX, weights

LISTENERS = ", ".join(f"{name}: {{}}" for name in door.names("signals") if name != "abandonment")
CHANGES = (
    ("signals: {uncertainty: {}, rephrase: {}}", f"signals: {{{LISTENERS}, abandonment: {{after: 0}}}}"),
    ("velocity: {bottleneck: {}}", "velocity: {bottleneck: {}, signal_validity: {least: 10}}"),
)


def converse(wheel, number, helped):
    """One person asks, asks again unless that helped, and mostly says whether it did."""
    who, talk = f"person {number}", f"talk {number}"
    first = wheel.ask("route", "where is my parcel", subject=who, episode=talk)
    if not helped:
        wheel.ask("route", "where is my parcel now", subject=who, episode=talk)
    wheel.signal(first, rating=helped != (number % 10 == 0), subject=who)
    return first


def test_what_goes_with_ratings_gets_a_weight(desk, reopen):
    wheel = reopen(desk, *CHANGES)
    asked = [converse(wheel, number, helped=number % 3 != 0) for number in range(60)]
    assert not [step.error for step in wheel.turn() if step.error]
    readings = {r.name.removeprefix(PREFIX): r for r in wheel.readings() if r.name.startswith(PREFIX)}
    assert readings["rephrase"].value > 0.5
    assert readings["rephrase"].note.startswith("rated -0.80 with it (20), +0.79 without ")
    assert weights(wheel.readings())["rephrase"] == readings["rephrase"].value
    again = wheel.store.heard([asked[0].id])[asked[0].id]
    assert [s.kind for s in again if s.source == "code"].count("rephrase") == 1


def test_a_conversation_that_turns_cut_is_heard_whole_and_once(desk, reopen):
    wheel = reopen(desk, *CHANGES)
    first = wheel.ask("route", "where is my parcel", episode="talk")
    wheel.turn()
    wheel.ask("route", "where is my parcel now", episode="talk")
    for _ in range(2):
        assert wheel.advance("signals").error == ""
    kinds = [s.kind for s in wheel.store.all(Signal) if s.exchange == first.id]
    assert kinds.count("rephrase") == 1
    assert len(kinds) == len(set(kinds))


def test_what_was_sent_instead_days_later_is_held_against_the_answer(desk, reopen):
    wheel = reopen(desk, *CHANGES)
    exchange = wheel.ask("route", "cannot sign in, login code missing", episode="talk")
    wheel.turn()
    wheel.signal(exchange, demonstration=f"{exchange.output} team", source="code")
    wheel.advance("signals")
    (edited,) = [s for s in wheel.store.all(Signal) if s.kind == "edited"]
    assert (edited.exchange, edited.value) == (exchange.id, 0.0)
    assert [e.id for e in wheel.store.all(Exchange)] == [exchange.id]

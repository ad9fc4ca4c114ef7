"""What people say outright becomes signals, through a real store and real guards."""

import time
from functools import partial

import pytest

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.errors import SettingsError, UnknownExchange
from openflywheel.base.nouns import Call, Exchange, Signal
from openflywheel.base.settings import Task
from openflywheel.store import Store
from openflywheel.wheel.hearing import hear
from openflywheel.wheel.said import Said

TASKS = {"route": Task(kind="label"), "answer": Task(kind="text")}
CHOICES = ("parcel", "refund", "login")


def exchange(task="route", output="parcel", episode="talk", **fields):
    made = {"input": "where?", "variant": "m", "subject": "key", "choices": CHOICES, **fields}
    return Exchange(episode=episode, task=task, output=output, **made)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


@pytest.fixture
def asked(store):
    """Exchanges, kept: those given, or one of a label task."""

    def keep(*exchanges, **fields):
        nouns = exchanges or (exchange(**fields),)
        store.append(nouns)
        return nouns[0]

    return keep


@pytest.fixture
def tell(store):
    """Say things, and keep them."""

    def say(*said, key="", mode="redact"):
        detect = partial(guard.apply, [door.load("guard", "pii", {"mode": mode})])
        heard = hear(store, TASKS, detect, said, key=key)
        store.append(heard.signals, heard.statements)
        return heard.signals

    return say


@pytest.fixture
def say(tell, asked):
    """Say one thing about one exchange; returns its only signal."""

    def only(about=None, **said):
        (signal,) = tell(Said(exchange=(about or asked()).id, **said))
        return signal

    return only


class TestKinds:
    def test_a_rating_or_stars(self, say):
        for said in ({"rating": False}, {"rating": -1}, {"stars": "1/5"}):
            signal = say(**said)
            assert (signal.kind, signal.value, signal.source, signal.correction) == ("rating", -1, "user", "")

    def test_a_correction_says_that_it_was_bad_and_what_was_right(self, say):
        signal = say(correction="refund")
        assert (signal.kind, signal.value, signal.correction) == ("correction", -1, "refund")
        assert say(correction="parcel").value == 1

    @pytest.mark.parametrize(("right", "value"), [("parcel", 1), ("refund", -1)])
    def test_a_choice_and_a_label_say_what_is_right_and_so_whether_it_was(self, say, right, value):
        for kind, source in (("choice", "user"), ("label", "expert")):
            signal = say(**{kind: right}, source=source)
            assert (signal.kind, signal.value, signal.correction, signal.source) == (
                kind,
                value,
                right,
                source,
            )

    def test_where_nothing_was_answered_nothing_was_right_or_wrong(self, say, asked):
        assert say(asked(output=""), choice="parcel").value == 0

    def test_a_choice_must_have_been_offered(self, say, asked):
        with pytest.raises(SettingsError, match="'lamp' was not offered; offered was: parcel, refund, login"):
            say(choice="lamp")
        with pytest.raises(SettingsError, match="offered was: nothing"):
            say(asked(choices=()), choice="lamp")

    def test_of_several_exchanges_one_is_preferred_over_others(self, tell, asked, store):
        best, worse, worst = exchange("answer"), exchange("answer"), exchange("answer")
        asked(best, worse, worst, Call(id=worst.id, surface="chat", reply="chatcmpl-9"))
        said = Said(choice=best.id, over=(worse.id, "chatcmpl-9", worst.id))
        (signal,) = tell(said)
        assert (signal.exchange, signal.kind, signal.value) == (best.id, "choice", 1)
        assert (signal.over, signal.correction) == ((worse.id, worst.id), "")
        assert tell(Said(exchange=best.id, over=(worse.id, worst.id)))[0].id == signal.id
        assert store.heard([best.id]) == {best.id: [signal]}

    def test_one_cannot_be_preferred_over_itself_or_over_nothing_known(self, tell, asked):
        one, other = exchange("answer"), exchange("answer")
        asked(one, other)
        for said in (
            Said(choice=one.id, over=(one.id,)),
            Said(exchange=other.id, choice=one.id, over=(other.id,)),
        ):
            with pytest.raises(SettingsError, match="must be one exchange, `over` the others"):
                tell(said)
        with pytest.raises(UnknownExchange, match="no exchange 'gone'"):
            tell(Said(choice=one.id, over=("gone",)))

    def test_an_outcome_is_kept_with_its_word(self, say):
        signal = say(outcome="returned", source="code")
        assert (signal.kind, signal.value, signal.outcome, signal.source) == (
            "outcome",
            -1,
            "returned",
            "code",
        )

    def test_a_comment_is_kept_in_its_words(self, say):
        signal = say(comment="well, thank you")
        assert (signal.kind, signal.value, signal.comment) == ("comment", 0, "well, thank you")

    def test_a_demonstration_of_a_text_is_right_but_does_not_say_how_wrong_the_answer_was(self, say, asked):
        answer = asked(task="answer", output="It comes today.")
        signal = say(answer, demonstration="It comes\ntomorrow.")
        assert (signal.kind, signal.value, signal.correction) == ("demonstration", 0, "It comes\ntomorrow.")
        assert say(answer, demonstration="It comes today.").value == 1
        assert say(demonstration="refund").value == -1

    def test_a_task_of_labels_wants_labels_known_or_new(self, say, asked):
        assert say(correction="a new label").correction == "a new label"
        for text in ("two\nlines", "x" * 201):
            with pytest.raises(SettingsError, match="task 'route' wants a label, one line of at most 200"):
                say(correction=text)
            assert say(asked(task="answer"), correction=text).correction == text

    def test_only_experts_label(self, say):
        with pytest.raises(SettingsError, match="needs the source 'expert', not 'user'"):
            say(label="parcel")

    def test_each_thing_that_is_said_is_a_signal(self, tell, asked):
        said = Said(exchange=asked().id, rating=-1, outcome="returned", correction="refund", comment="no")
        assert [s.kind for s in tell(said)] == ["rating", "outcome", "comment", "correction"]

    def test_saying_nothing_is_refused_with_the_choices(self, say):
        with pytest.raises(SettingsError, match="one of: rating, stars, outcome, comment, correction"):
            say()
        with pytest.raises(SettingsError, match="value = 1 belongs to an outcome"):
            say(value=1)


class TestAbout:
    def test_an_exchange_goes_by_our_id_or_by_the_providers(self, tell, asked):
        one = exchange()
        asked(one, Call(id=one.id, surface="chat", reply="chatcmpl-1"))
        (ours,) = tell(Said(exchange=one.id, rating=1))
        (theirs,) = tell(Said(exchange="chatcmpl-1", rating=1))
        assert ours.exchange == theirs.exchange == one.id
        assert ours.id == theirs.id

    def test_a_providers_id_that_repeats_is_refused_with_the_exchanges(self, tell, asked):
        one, two = exchange(), exchange()
        asked(one, two, *(Call(id=e.id, surface="chat", reply="chatcmpl-1") for e in (one, two)))
        with pytest.raises(
            SettingsError, match=f"2 exchanges have the answer 'chatcmpl-1'.*{one.id}, {two.id}"
        ):
            tell(Said(exchange="chatcmpl-1", rating=1))

    @pytest.mark.parametrize("said", [Said(exchange="gone", rating=1), Said(episode="gone", rating=1)])
    def test_what_nobody_has_seen_is_refused(self, tell, store, said):
        with pytest.raises(UnknownExchange, match="there is no (exchange|episode) 'gone'"):
            tell(said)
        assert store.all(Signal) == []

    def test_a_signal_is_about_something(self, tell):
        with pytest.raises(SettingsError, match="needs an exchange, or an episode"):
            tell(Said(rating=1))

    def test_an_opinion_of_an_episode_is_about_all_of_it(self, tell, asked, store):
        asked(exchange(), exchange(subject="later"))
        (rating, outcome) = tell(Said(episode="talk", rating=1, outcome="resolved"))
        assert (rating.exchange, rating.episode, rating.about) == ("", "talk", "talk")
        assert (rating.task, rating.subject) == ("route", "later")
        assert store.heard(["talk"]) == {"talk": [rating, outcome]}

    def test_a_right_answer_for_an_episode_is_about_the_answer_at_its_end(self, tell, asked):
        last = exchange()
        asked(exchange(), last)
        said = tell(Said(episode="talk", rating=-1, correction="refund"))
        assert [s.exchange for s in said] == ["", last.id]

    def test_an_exchange_of_another_episode_is_a_mistake(self, tell, asked):
        one = asked()
        with pytest.raises(SettingsError, match="is not in the episode 'other'"):
            tell(Said(exchange=one.id, episode="other", rating=1))
        assert tell(Said(exchange=one.id, episode="talk", rating=1))[0].exchange == one.id

    def test_a_signal_knows_its_exchange_and_who_spoke(self, say, store):
        for signal, subject in ((say(rating=1), "key"), (say(rating=1, subject="ann"), store.key_of("ann"))):
            assert (signal.episode, signal.task) == ("talk", "route")
            assert (signal.subject, signal.explicit) == (subject, True)

    def test_the_key_and_the_address_block_are_kept_and_the_address_is_not(
        self, tell, asked, store, tmp_path
    ):
        one = asked()
        near, next_door, far = (
            tell(Said(exchange=one.id, rating=1, address=address), key="k1")[0]
            for address in ("203.0.113.7", "203.0.113.8", "198.51.100.7")
        )
        assert near.network == next_door.network != far.network
        assert near.key == "k1"
        store.close()
        files = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        assert near.network.encode() in files
        assert b"203.0.113" not in files


class TestTwice:
    def test_the_same_words_of_the_same_person_are_the_same_signal(self, say, asked, store):
        one = asked()
        assert say(one, rating=1).id == say(one, rating=True).id
        assert len({say(one, rating=1).id, say(one, rating=0).id, say(one, rating=1, subject="eve").id}) == 3
        assert len(store.all(Signal)) == 3

    def test_who_tells_the_moment_may_change_his_mind_back(self, say, asked, store):
        one = asked()
        for value, at in ((-1, 10.0), (1, 20.0), (-1, 30.0), (-1, 30.0)):
            say(one, rating=value, at=at)
        assert [(s.value, s.at) for s in store.heard([one.id])[one.id]] == [(-1, 10), (1, 20), (-1, 30)]

    def test_a_word_that_comes_days_late_joins(self, say, asked):
        one = asked(at=time.time() - 9 * 86400)
        assert say(one, outcome="returned", at="2026-01-01T00:00:00Z").at == 1767225600

    def test_the_same_id_counts_once_even_without_a_moment(self, say, asked, store):
        one = asked()
        first, again = say(one, rating=1, id="click 7"), say(one, rating=1, id="click 7")
        assert (first.id, first.at) == (again.id, again.at)
        say(one, rating=1, id="click 8")
        assert len(store.all(Signal)) == 2

    def test_the_same_id_for_something_else_is_refused(self, tell, say, asked, store):
        one = asked()
        say(one, rating=1, id="click 7")
        with pytest.raises(SettingsError, match="id = 'click 7' was used before, for another rating"):
            say(one, rating=-1, id="click 7")
        twice = [Said(exchange=one.id, stars=stars, id="x") for stars in ("1/5", "2/5")]
        with pytest.raises(SettingsError, match=r"signals\[1\]: id = 'x'"):
            tell(*twice)
        assert len(store.all(Signal)) == 1

    def test_an_id_is_a_persons_and_a_things_own(self, say, asked, store):
        one, other = asked(), asked()
        for about, said in ((one, {}), (one, {"subject": "eve"}), (other, {})):
            say(about, rating=1, id="1", **said)
        say(one, comment="hm", id="1")
        assert len(store.all(Signal)) == 4


class TestWritten:
    @pytest.mark.parametrize("kind", ["comment", "correction", "demonstration", "label"])
    def test_what_people_write_is_redacted_before_it_is_kept(self, say, asked, kind):
        signal = say(asked(task="answer"), **{kind: "ask bob@example.com"}, source="expert")
        assert "ask <email>" in (signal.comment, signal.correction)
        assert "bob@example.com" not in repr(signal)

    @pytest.mark.parametrize("kind", ["comment", "correction", "demonstration"])
    def test_what_a_guard_refuses_is_refused(self, tell, asked, store, kind):
        said = Said(exchange=asked().id, rating=1, **{kind: "ask bob@example.com"})
        with pytest.raises(
            SettingsError, match=rf"{kind} was refused by the guards \(pii: 1 email\)"
        ) as error:
            tell(said, mode="refuse")
        assert "bob" not in str(error.value)
        assert store.all(Signal) == []


class TestMany:
    def test_all_or_nothing_and_the_error_names_the_place(self, tell, asked, store):
        one = asked()
        good, gone, bad = (
            Said(exchange=one.id, rating=1), Said(exchange="gone", rating=1), Said(exchange=one.id),
        )  # fmt: skip
        with pytest.raises(UnknownExchange, match=r"^signals\[1\]: there is no exchange 'gone'"):
            tell(good, gone)
        with pytest.raises(SettingsError, match=r"^signals\[2\]: a signal needs one of"):
            tell(good, good, bad)
        assert store.all(Signal) == []
        assert len(tell(good, good, Said(exchange=one.id, comment="hm"))) == 2

    def test_a_thousand_go_and_no_more(self, tell, asked, store):
        one = asked()
        said = [Said(exchange=one.id, rating=1, at=float(i)) for i in range(1_000)]
        tell(*said)
        assert len(store.all(Signal)) == 1_000
        with pytest.raises(SettingsError, match="1001 signals in one call; send at most 1000"):
            tell(*said, said[0])

    def test_nothing_said_is_nothing_heard(self, tell):
        assert tell() == []


def test_a_label_closes_the_question_and_nothing_else_does(tell, asked, store):
    one, other = exchange(), exchange()
    asked(one, other)
    store.experts.ask([one.id, other.id], task="route", why="doubt")
    tell(Said(exchange=one.id, correction="parcel"), Said(exchange=other.id, label="parcel", source="expert"))
    assert [q.exchange for q in store.experts.open()] == [one.id]

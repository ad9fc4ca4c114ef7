import json
import time

import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._fake.forum import post
from openflywheel.collect._fake.server import running
from openflywheel.collect.forum import check, discover, forum

GAP = Gap(topic="care", why="cold start", task="answer")
DAY = 86_400
OLD = 1_700_000_000.0


@pytest.fixture(scope="module")
def sides():
    with running() as far:
        yield far


@pytest.fixture
def far(sides):
    sides.script({"keys": ["geheim"]})
    return sides


@pytest.fixture
def read(web, far):
    def reader(state=None, **settings):
        told = {"name": "shoes", "url": f"{far.url}/forum", "token": "geheim", "answers": 0} | settings
        kept = {} if state is None else state
        return list(forum(GAP, web=web, state=kept, subject=lambda p: f"<{p}>", **told))

    return reader


def ids(found):
    return [r.uri.split("/")[6] for r in found if isinstance(r, Record)]


def drops(found):
    return [d.reason for d in found if isinstance(d, Drop)]


def test_a_question_and_its_best_answers(read):
    question, best, *_ = (r for r in read(answers=3) if isinstance(r, Record))
    assert question.text == "How do I wax shoe p2?\n\nShoe p2 is dull."
    assert question.uri == "https://www.reddit.com/r/shoes/comments/p2/how/"
    assert (question.source, question.subject) == ("forum", "<asker_p2>")
    assert question.meta == {
        "title": "How do I wax shoe p2?",
        "forum": "shoes",
        "flair": "Care",
        "published": "2023-11-14T22:13:22+00:00",
    }
    assert best.text == "How do I wax shoe p2?\n\nUse a thin coat of wax."
    assert (best.subject, best.uri) == ("<waxer>", "https://www.reddit.com/r/shoes/comments/p2/how/p2b/")
    assert best.meta["question"] == question.uri


def test_answers_of_few_points_of_nobody_and_of_bots_stay_out(read):
    found = read(answers=10, score=2)
    answers = [r for r in found if isinstance(r, Record) and "question" in r.meta]
    assert [a.subject for a in answers] == ["<waxer>", "<brusher>"] * 3
    assert drops(found) == ["deleted", "by a bot or a moderator"] * 3


def test_names_stand_nowhere_but_in_the_key(read):
    for record in read(answers=3):
        if isinstance(record, Record):
            assert not any(
                n in str([record.text, record.meta, record.uri]) for n in ("asker", "waxer", "brusher")
            )


def test_without_answers_no_comments_are_asked_for(read, far):
    assert ids(read()) == ["p2", "p1", "p0"]
    assert len(far.paths()) == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"stickied": True}, "stickied"),
        ({"over_18": True}, "not safe for work"),
        ({"removed_by_category": "moderator"}, "removed"),
        ({"selftext": "[removed]"}, "deleted"),
        ({"author": "[deleted]"}, "deleted"),
        ({"selftext": " "}, "post without text"),
        ({"selftext": None, "title": None}, "post without text"),
        ({"author": "AutoModerator"}, "by a bot or a moderator"),
        ({"selftext": "x" * 1_000_001}, "text longer than 1,000,000 characters"),
    ],
)
def test_what_is_not_taken_is_said(read, far, more, reason):
    far.desk.memory["forum"] = [post("a", OLD, **more), post("b", OLD + 1)]
    found = read()
    assert (ids(found), drops(found)) == (["b"], [reason])


def test_every_post_comes_once_and_later_what_is_new(read, far):
    made = far.desk.memory["forum"] = [post(f"p{n}", OLD + n) for n in range(250)]
    state = {}
    assert len(set(ids(read(state, most=1_000)))) == 250
    made += [post("late", OLD + 249), post("new", OLD + 400)]  # one of the same second as the newest
    assert ids(read(state)) == ["new", "p249", "late"]
    assert ids(read(state)) == ["new"]
    assert len(json.dumps(state)) < 100


def test_a_turn_looks_at_so_many_and_the_next_one_goes_on(read, far):
    made = far.desk.memory["forum"] = [post(f"p{n:03d}", OLD + n) for n in range(250)]
    state = {}
    first = ids(read(state, most=100))
    assert first[0] == "p249"
    made.append(post("new", OLD + 900))
    second, third = ids(read(state, most=100)), ids(read(state, most=100))
    assert set(first) | set(second) | set(third) == {f"p{n:03d}" for n in range(250)}
    assert "new" in ids(read(state, most=100))


def test_a_post_waits_until_its_answers_are_there(read, far):
    now = time.time()
    made = far.desk.memory["forum"] = [post("young", now - 100), post("old", now - 2 * DAY)]
    state = {}
    assert ids(read(state)) == ["old"]
    made[0]["created_utc"] = now - 1.5 * DAY
    assert ids(read(state)) == ["young", "old"]
    assert ids(read(settled=0.01)) == ["young", "old"]


def test_when_the_requests_are_used_up_the_rest_waits(read, far):
    far.desk.memory["forum"] = [post(f"p{n}", OLD + n) for n in range(250)]
    far.desk.memory["forum left"] = 1.0
    state = {}
    assert len(ids(read(state, most=1_000))) == 100
    far.desk.memory["forum left"] = 100.0
    assert len(ids(read(state, most=1_000))) == 150


def test_rate_limits_are_waited_for_and_long_ones_told(read, far):
    far.script({"keys": ["geheim"], "rules": [{"path": "/forum", "nth": 1, "status": 429, "retry_after": 0}]})
    assert len(read()) == 3
    far.script({"keys": ["geheim"], "rules": [{"path": "/forum", "status": 429, "retry_after": 600}]})
    with pytest.raises(SourceFailed, match="answered 429: .* next turn"):
        read()


def test_a_refusal_names_the_next_step_and_no_token(read):
    with pytest.raises(SourceFailed, match="forum: .*answered 401: .*flywheel.yaml") as error:
        read(token="falsch")
    assert "falsch" not in str(error.value)


@pytest.mark.parametrize("name", ["", "../comments", "a/b", "a b", "x" * 60])
def test_a_wrong_name_is_explained(read, name):
    with pytest.raises(SettingsError, match="is no name of a forum"):
        read(name=name)


@pytest.mark.parametrize("body", ["[]", '{"kind": "t5"}', '{"kind": "Listing", "data": {"children": 7}}'])
def test_broken_lists_are_refused_or_empty(web, site, body):
    site.page("/r/shoes/new.json?limit=100&raw_json=1", body)
    told = {"name": "shoes", "url": site.url, "web": web, "state": {}, "subject": str}
    if "Listing" in body:
        assert list(forum(GAP, **told)) == []
    else:
        with pytest.raises(SourceFailed, match="gave no list of posts"):
            list(forum(GAP, **told))


def test_check_and_discover_ask_once(web, far):
    told = {"name": "shoes", "url": f"{far.url}/forum", "web": web}
    check(token="geheim", **told)
    [stream] = discover(GAP, token="geheim", **told)
    assert (stream.name, stream.items) == ("/r/shoes", None)
    assert len(far.paths()) == 2
    with pytest.raises(SourceFailed, match="401"):
        check(token="falsch", **told)

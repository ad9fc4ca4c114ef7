import lessons
import preference_lessons as told
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import changed
from openflywheel.customize._preference import planning
from openflywheel.customize._preference.planning import apart, planned
from openflywheel.customize._tuning.tuning import Tuning


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    lessons.able(folder / "base")
    return folder


def plan(shop, lesson, method="", per_subject=0.1, **tuning):
    return planned(lesson, "base", method, 0.2, Tuning(**tuning), per_subject, shop, shop / "work")


def test_who_judges_does_not_teach():
    given = told.lesson(told.corrections(range(4)), told.thumbs(range(6)), told.corrections(range(2, 5)))
    rows, judging = apart(given)
    assert {row.subject for row in rows} == {"person-0", "person-1", "person-5"}
    assert {row.subject for row in judging} == {"person-2", "person-3", "person-4"}


def test_a_tenth_of_the_people_judges_where_nobody_is_named():
    rows, judging = apart(told.lesson(told.corrections(range(60))))
    assert len(rows) + len(judging) == 180
    assert 0.03 < len(judging) / 180 < 0.2
    assert not {row.subject for row in rows} & {row.subject for row in judging}


def test_validation_that_says_nothing_of_liking_judges_nothing():
    rows, judging = apart(told.lesson(told.corrections(range(60)), validation=lessons.lesson().rows))
    assert 0 < len(judging) < len(rows)


def test_pairs_go_before_thumbs_unless_a_method_is_named(shop):
    corrected, thumbs = told.corrections(range(20)), told.thumbs(range(20))
    assert plan(shop, told.lesson(corrected, thumbs)).method == "dpo"
    assert plan(shop, told.lesson(preference=thumbs)).method == "kto"
    both = plan(shop, told.lesson(corrected, thumbs), "kto")
    assert (both.method, both.plan.arguments) == ("kto", {"beta": 0.2})
    ups = [choice for choice in both.rows.kept if choice.better]
    assert len(both.rows.kept) == 2 * len(ups)  # each question has its right and its given answer


def test_thumbs_up_and_down_on_one_question_are_pairs(shop):
    asked = [row for person in (0, 1) for row in told.thumbs(range(person, person + 1))]
    same = [changed(row, text=row.text[:-2]) for row in asked]
    taught = plan(shop, told.lesson(preference=same, validation=told.corrections(range(5, 7))))
    assert (taught.method, len(taught.rows.kept), len(taught.judged.kept)) == ("dpo", 3, 6)


def test_what_teaches_does_not_judge_though_another_person_said_it(shop):
    rows = told.corrections(range(4))
    others = [changed(row, subject=f"{row.subject} too") for row in rows]
    taught = plan(shop, told.lesson(rows, validation=[*others, *told.corrections(range(8, 9))]))
    assert (len(taught.rows.kept), len(taught.judged.kept)) == (12, 3)


def test_no_more_judge_than_are_needed(shop, monkeypatch):
    monkeypatch.setattr(planning, "MOST_JUDGED", 5)
    given = told.lesson(told.corrections(range(4)), validation=told.corrections(range(4, 8)))
    first, second = plan(shop, given), plan(shop, given)
    assert len(first.judged.kept) == 5
    assert first.plan.validation == second.plan.validation
    assert first.plan.folder == second.plan.folder


def test_a_keen_person_is_bounded_where_they_teach(shop):
    keen = [changed(row, text=f"{row.text} {i}") for i in range(10) for row in told.corrections(range(1))]
    given = told.lesson([*keen, *told.corrections(range(1, 9))], validation=told.corrections(range(20, 21)))
    taught = plan(shop, given, per_subject=0.2)
    assert (taught.bounded, len(taught.rows.kept)) == (20, 34)
    assert plan(shop, given, per_subject=1.0).bounded == 0


def test_a_lesson_without_preferences_is_refused(shop):
    with pytest.raises(SettingsError, match="'shop': no row says which of two answers is better"):
        plan(shop, lessons.lesson(), "orpo")
    with pytest.raises(SettingsError, match="'shop' has 0 thumbs up and 0 down"):
        plan(shop, lessons.lesson())
    ups = [row for row in told.thumbs(range(6)) if row.meta["thumb"] == "up"]
    with pytest.raises(SettingsError, match="'shop' has 9 thumbs up and 0 down"):
        plan(shop, told.lesson(preference=ups, validation=told.thumbs(range(8, 10))))


def test_examples_that_dont_fit_and_batches_of_one_are_refused(shop):
    given = told.lesson(told.corrections(range(8)))
    with pytest.raises(SettingsError, match="'shop': none of .* examples fits into most_tokens = 5"):
        plan(shop, given, most_tokens=5)
    with pytest.raises(SettingsError, match="batch = 4 in 4 parts: kto compares"):
        plan(shop, given, "kto", batch=4, accumulate=4)
    with pytest.raises(SettingsError, match="batch = 4 in 4 parts: kto compares"):
        plan(shop, given, "kto", batch=4, accumulate=2, workers=2)

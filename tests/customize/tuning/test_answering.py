import lessons
import pytest
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.customize._tuning.answering import apart, planned
from openflywheel.customize._tuning.tuning import Tuning


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answering")
    lessons.able(folder / "base")
    return folder


def test_a_tenth_of_the_people_judge_where_no_validation_is_given():
    lesson = lessons.lesson(people=60)
    rows, judging = apart(lesson)
    assert len(rows) + len(judging) == 180
    assert 0.03 < len(judging) / 180 < 0.2
    assert not {row.subject for row in rows} & {row.subject for row in judging}
    assert apart(lesson) == (rows, judging)


def test_given_validation_judges_and_all_rows_teach():
    lesson = lessons.lesson(people=4, validation=2)
    rows, judging = apart(lesson)
    assert rows == list(lesson.rows)
    assert {row.id for row in judging} == {row.id for row in lesson.validation}


def test_a_label_is_asked_for_without_the_conversation_before():
    lesson = lessons.lesson("label", meta={"chat": "[]"})
    assert all(row.meta == {} for row in apart(lesson)[0])
    assert all(row.meta for row in apart(lessons.lesson("text", meta={"chat": "[]"}))[0])


def test_at_most_256_rows_judge_and_always_the_same():
    many = lessons.lesson(people=1, validation=100)
    judging = apart(many)[1]
    assert len(judging) == 256
    again = replace(many, validation=tuple(reversed(many.validation)))
    assert apart(again)[1] == judging


@pytest.mark.parametrize(
    ("tuning", "judges"),
    [
        (Tuning(steps=10, batch=16), 32),  # 6 % of 160 rows would be 10: too few to tell
        (Tuning(steps=100, batch=16), 96),
        (Tuning(steps=1000, batch=16), 256),
        (Tuning(epochs=100.0), 144),
    ],
)
def test_a_short_run_is_judged_by_fewer_rows(shop, tuning, judges):
    taught = planned(lessons.lesson(validation=100), "base", tuning, shop, shop / "work")
    assert len(taught.plan.validation) == len(taught.judged.kept) == judges
    assert len(taught.judging) == 256  # these fit the temperature


def test_a_plan_holds_the_template_itself(shop):
    (shop / "chat.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}:")
    taught = planned(lessons.lesson(), "base", Tuning(template="chat.jinja"), shop, shop / "work")
    assert taught.plan.tuning.template.endswith(":")
    plain = planned(lessons.lesson(), "base", Tuning(), shop, shop / "work")
    assert plain.plan.folder != taught.plan.folder
    assert plain.rows.tokens > taught.rows.tokens


def test_a_lesson_that_does_not_fit_is_refused(shop):
    with pytest.raises(SettingsError, match="none of 24 examples fits into most_tokens = 5"):
        planned(lessons.lesson(validation=1), "base", Tuning(most_tokens=5), shop, shop / "work")

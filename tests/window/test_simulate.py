"""Traffic from a file: cycles of conversations, experts and a turn."""

import re
import shutil

import msgspec
import pytest

from openflywheel.base.door import ROOMS
from openflywheel.base.errors import SettingsError, UnknownTask
from openflywheel.base.nouns import Exchange, Row, Step
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Message
from openflywheel.window.simulate import WORDS, read_messages, simulate

CLOCKS = {"seconds": 0.0, "cpu_seconds": 0.0, "bottleneck": ""}


@pytest.fixture
def messages(tmp_path):
    """A file of messages."""
    path = tmp_path / "messages.csv"
    topics = {"delivery": "where is parcel", "returns": "send back lamp", "gift": "the gift card of aunt"}
    rows = [f"{text} {n},{label}" for label, text in topics.items() for n in range(40)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def wheel(desk):
    with Flywheel.open(desk / "flywheel.yaml") as opened:
        yield opened


class TestMessages:
    @pytest.mark.parametrize("column", ["label", "category", "intent"])
    def test_csv_and_json_lines_say_the_same(self, column, tmp_path):
        (tmp_path / "a.csv").write_text(f'text,{column}\n"late, again",parcel\nrefund,\n')
        (tmp_path / "a.jsonl").write_text(
            f'{{"text": "late, again", "{column}": "parcel"}}\n{{"text": "refund", "{column}": ""}}\n'
        )
        found = [read_messages(tmp_path / name) for name in ("a.csv", "a.jsonl")]
        assert found[0] == found[1] == [Message("late, again", "parcel"), Message("refund", "")]

    def test_a_second_right_answer_may_stand_beside(self, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"text": "t", "label": "a", "also": "b"}\n')
        assert read_messages(str(tmp_path / "a.jsonl")) == [Message("t", "a", also="b")]

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("", "is empty; it needs rows with text and label"),
            ("text,label\n", "is empty; it needs rows with text and label"),
            ("text,labels\na,b\n", "needs the columns text and label; did you mean 'labels'?"),
            ("question,label\na,b\n", "needs the columns text and label"),
        ],
    )
    def test_a_file_without_messages_is_refused_with_its_name(self, content, complaint, tmp_path):
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(SettingsError) as raised:
            read_messages(tmp_path / "a.csv")
        assert str(raised.value).startswith(f"{tmp_path / 'a.csv'} {complaint}")

    def test_a_file_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(SettingsError, match="there is no file"):
            read_messages(tmp_path / "a.csv")


class TestCycles:
    def test_each_is_a_turn_with_what_was_served_and_learned(self, wheel, messages):
        first, told = wheel.store.last_turn() + 1, []
        mark = wheel.store.mark()
        cycles = simulate(wheel, "route", messages, turns=2, conversations=30, progress=told.append)
        assert told == cycles
        assert [c.turn for c in cycles] == [first, first + 1]
        assert sum(c.served for c in cycles) == len(wheel.store.since(Exchange, mark))
        for c in cycles:
            assert c.served >= 30 >= c.users > 0
            assert c.answered + c.handed_over == pytest.approx(1)
            assert c.verdict in {*WORDS.values(), "no candidate"}
            assert c.bottleneck in ROOMS
        rows = [r for r in wheel.store.since(Row, mark) if r.labelled_by in ("user", "expert")]
        assert sum(c.labels for c in cycles) == sum(r.role == "train" for r in rows) > 0
        assert sum(c.holdout for c in cycles) == sum(r.role == "holdout" for r in rows)

    def test_what_nobody_answered_has_no_accuracy(self, desk, messages):
        yaml = (desk / "flywheel.yaml").read_text()
        (desk / "flywheel.yaml").write_text(yaml.replace("cascade: {}", "cascade: {route: {least: 1.0}}"))
        with Flywheel.open(desk / "flywheel.yaml") as wheel:
            (cycle,) = simulate(wheel, "route", messages, turns=1, conversations=10)
        assert (cycle.answered, cycle.accuracy, cycle.handed_over) == (0, None, 1)
        assert cycle.cost_per_1000 == pytest.approx(4002)

    def test_a_room_that_fails_is_the_reason_why_there_is_no_candidate(self, desk, messages):
        yaml = (desk / "flywheel.yaml").read_text().replace("seeds.jsonl", "gone.jsonl")
        yaml = re.sub(r"  traffic: .*\n", "", yaml)  # what people say would teach all the same
        (desk / "flywheel.yaml").write_text(yaml.replace("store: wheel", "store: fresh"))
        with Flywheel.open(desk / "flywheel.yaml") as wheel:
            (cycle,) = simulate(wheel, "route", messages, turns=1, conversations=5)
            failed = [s for s in wheel.store.all(Step) if s.error]
        assert {s.room for s in failed} == {"collect"}
        assert cycle.verdict == "no candidate"
        assert "files: there is no file" in cycle.reason

    def test_a_task_that_is_not_there_is_refused(self, wheel, messages):
        with pytest.raises(UnknownTask, match="did you mean 'route'?"):
            simulate(wheel, "rout", messages, turns=1, conversations=5)

    def test_the_same_seed_meets_the_same_people(self, desk, messages):
        twin = shutil.copytree(desk, desk / "twin", ignore=shutil.ignore_patterns("twin"))
        cycles = []
        for folder in (desk, twin):
            with Flywheel.open(folder / "flywheel.yaml") as wheel:
                cycles.append(simulate(wheel, "route", messages, turns=1, conversations=20, seed=5))
        one, two = ([msgspec.structs.replace(c, **CLOCKS) for c in told] for told in cycles)
        assert one == two

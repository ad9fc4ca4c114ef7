"""What the demo prints, and the report that it leaves."""

import msgspec
import pytest

from openflywheel.base.nouns import Reading
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.shoppers import Asked, Order
from openflywheel.window.simulate import Cycle
from openflywheel.window.story import COLUMNS, Before, Story, row

CYCLE = Cycle(
    turn=3,
    users=1204,
    served=1300,
    answered=0.875,
    accuracy=0.9125,
    handed_over=0.125,
    cost_per_1000=1234.5,
    labels=15,
    holdout=12,
    verdict="promoted",
    reason="of 40 sealed questions 9 are answered differently",
    seconds=2.34,
    cpu_seconds=2.0,
    bottleneck="customize",
)
SILENT = msgspec.structs.replace(CYCLE, turn=4, accuracy=None, verdict="no candidate", reason="")
ASKED = Asked(missing=24, found=17, others=96, others_answered=70)
ORDER = Order("old, batteries", "16 of 20 failed", 12)
BETTER = Before("parcel | where?", "returns_policy", "track_order")


@pytest.fixture
def wheel(desk):
    with Flywheel.open(desk / "flywheel.yaml") as opened:
        opened.store.append([Reading(name="accuracy", task="route", value=0.5, low=0.25, high=0.75, unit="")])
        yield opened


@pytest.fixture
def tell(wheel, tmp_path):
    """Tell a story of two cycles; returns the report."""

    def told(*, quiet=False, better=()):
        with Story(wheel, tmp_path, 2, quiet=quiet) as story:
            story.begin(1722)
            for cycle in (CYCLE, SILENT):
                story.tell(cycle)
                story.tell_shoppers(ASKED, [ORDER])
            story.end([CYCLE, SILENT], [ASKED, ASKED], better)
        return (tmp_path / "report.md").read_text()

    return told


class TestRow:
    def test_a_cycle_has_a_cell_a_column(self):
        cells = dict(zip(COLUMNS, row(CYCLE), strict=True))
        assert (cells["turn"], cells["users"], cells["labels"]) == ("3", "1204", "15+12")
        assert (cells["answered"], cells["accuracy"], cells["to humans"]) == ("87.5%", "91.2%", "12.5%")
        assert (cells["cost/1,000"], cells["gate"]) == ("1,234", "promoted")

    def test_where_nothing_was_answered_there_is_no_accuracy(self):
        assert dict(zip(COLUMNS, row(SILENT), strict=True))["accuracy"] == "-"


class TestPrinted:
    def test_the_rows_stand_under_their_titles(self, tell, capsys):
        tell()
        lines = capsys.readouterr().out.splitlines()
        head = next(line for line in lines if line.split()[:2] == ["turn", "users"])
        (told,) = (line for line in lines if line.split()[:2] == ["3", "1204"])
        for title in ("turn", "users", "accuracy", "gate", "bottleneck"):
            end = head.index(title) + len(title)
            assert told[:end].split()[-1] == dict(zip(COLUMNS, row(CYCLE), strict=True))[title]
            assert not told[end : end + 1].strip()

    def test_it_says_why_and_where_to_look_further(self, tell, capsys, tmp_path):
        tell(better=[BETTER])
        said = capsys.readouterr().out
        assert "1,722 messages wait" in said
        assert f"promoted: {CYCLE.reason}" in said
        assert "no candidate:" not in said
        assert "parcel | where?" in said
        assert f"flywheel why intent -f {tmp_path}/flywheel.yaml" in " ".join(said.split())

    def test_it_says_what_shoppers_asked_and_what_was_fetched(self, tell, capsys):
        report = tell()
        said = " ".join(capsys.readouterr().out.split())
        assert "of 24 about old batteries 17 answered from a page about them, of 96 others 70" in said
        assert "old, batteries: 16 of 20 failed; 12 pages fetched from the shop's website" in said
        assert "- turn 3: of 24 about old batteries 17" in report

    def test_an_answer_is_shown_by_the_title_of_its_article(self, tell, capsys):
        tell(better=[Before("?", "no_such_article", "track_order")])
        said = capsys.readouterr().out
        assert "first: no_such_article" in said
        assert "now:" in said
        assert "track_order" not in said

    def test_square_brackets_are_shown_as_they_stand(self, wheel, tmp_path, capsys):
        failed = msgspec.structs.replace(SILENT, reason="ValueError: [bold] [/no]")
        wheel.store.append([Reading(name="odd", value=1, note="[/note]")])
        with Story(wheel, tmp_path, 1, quiet=False) as story:
            story.tell(failed)
            story.end([failed], [ASKED], [Before("[/text]", "[/was]", "[/now]")])
        said = capsys.readouterr().out
        for text in ("no candidate: ValueError: [bold] [/no]", "[/note]", "[/text]", "[/was]", "[/now]"):
            assert text in said

    def test_quiet_it_prints_nothing_and_still_reports(self, tell, capsys):
        assert "turn 3" in tell(quiet=True)
        assert capsys.readouterr() == ("", "")


class TestReport:
    def test_it_names_each_turn_what_happened_and_why(self, tell):
        lines = tell().splitlines()
        assert f"| {' | '.join(row(CYCLE))} |" in lines
        assert f"- turn 3: promoted: {CYCLE.reason}" in lines
        assert "- turn 4: no candidate: it said nothing" in lines

    def test_it_holds_what_the_wheel_says_about_itself(self, tell):
        assert "| accuracy (route) | 0.5 | 0.25 to 0.75 |  |" in tell().splitlines()

    def test_its_tables_are_markdown_whatever_stands_in_them(self, tell, wheel):
        wheel.store.append([Reading(name="odd", value=1, note="a | b")])
        lines = tell(better=[BETTER]).splitlines()
        assert "| odd | 1 |  | a \\| b |" in lines
        tables = [line.replace("\\|", "") for line in lines if line.startswith("|")]
        assert {line.count("|") for line in tables} == {len(COLUMNS) + 1, 5}
        for rule in ("| --- " * n + "|" for n in (len(COLUMNS), 4)):
            at = lines.index(rule)
            assert lines[at - 1].startswith("|")
            assert lines[at - 2] == "" or lines[at - 2].startswith("#")

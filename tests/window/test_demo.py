"""The demo tells a true story: the same seed the same, another seed another, a missing room is missed."""

import json
import shutil
from importlib.resources import files

import msgspec
import pytest
import yaml

from openflywheel.base.door import ROOMS
from openflywheel.base.errors import SettingsError, UnknownPlugin
from openflywheel.base.nouns import Exchange, Gap, Model, Record, Row, Signal, Step
from openflywheel.store import Store
from openflywheel.window import demo
from openflywheel.window.shoppers import PLACES
from openflywheel.window.story import COLUMNS

CLOCKS = {"seconds": 0.0, "cpu_seconds": 0.0, "bottleneck": ""}


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Run a small demo: two turns of 40 conversations; returns its folder and its cycles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "CONVERSATIONS", 40)

        def small(**options):
            folder = tmp_path_factory.mktemp("demo")
            return folder, demo.run(turns=2, folder=folder, as_json=True, **options)

        yield small


@pytest.fixture(scope="session")
def told(run):
    """The folder and the cycles of one run."""
    return run(seed=0)


@pytest.fixture
def open_store():
    """Open the store that a run left."""
    opened = []

    def anew(folder):
        opened.append(Store(folder / "wheel"))
        return opened[-1]

    yield anew
    for store in opened:
        store.close()


def without_clocks(cycles):
    return [msgspec.structs.replace(c, **CLOCKS) for c in cycles]


class TestStory:
    def test_every_turn_is_a_cycle_of_conversations(self, told):
        _, cycles = told
        assert [c.turn for c in cycles] == [1, 2]  # turn 0 learns from the seeds
        for c in cycles:
            assert c.served >= 40 >= c.users > 0
            assert c.answered + c.handed_over == pytest.approx(1)
            assert 0 < c.answered < 1
            assert 0 < c.accuracy <= 1
            assert c.bottleneck in ROOMS
        assert all(c.labels > 0 for c in cycles)

    @pytest.mark.slow
    def test_the_same_seed_tells_the_same_and_another_another(self, run, told):
        _, first = told
        _, again = run(seed=0)
        _, other = run(seed=1)
        assert without_clocks(again) == without_clocks(first)
        assert without_clocks(other) != without_clocks(first)

    def test_nothing_failed_on_the_way(self, told, open_store):
        steps = open_store(told[0]).all(Step)
        assert [s.error for s in steps if s.error] == []
        assert {s.room for s in steps} == set(ROOMS)

    def test_the_seeds_are_no_traffic_and_no_message_is_written_twice(self, told, open_store):
        folder, cycles = told
        seeds = {json.loads(line)["text"] for line in (folder / "seeds.jsonl").read_text().splitlines()}
        asked = [e.input for e in open_store(folder).all(Exchange) if e.task == demo.TASK]
        assert len(asked) == len(set(asked)) == sum(c.served for c in cycles)
        assert not seeds & set(asked)

    def test_the_wheel_closes_a_gap_by_fetching_what_shoppers_ask_for(self, told, open_store):
        store = open_store(told[0])
        gap = next(g for g in store.all(Gap) if g.task == "answer" and g.queries)
        pages = [r for r in store.all(Record) if r.source == "crawl"]
        assert pages
        assert min(r.at for r in pages) > gap.at  # nothing was fetched before the gap was found
        asked = [e for e in store.all(Exchange) if e.task == "answer"]
        first, second = (
            sum(any(p in v.reason for p in PLACES for v in e.verdicts) for e in turn)
            for turn in (asked[:120], asked[120:])
        )
        assert first == 0
        assert second >= 10  # of 24 about what was missing

    def test_a_part_of_the_shop_is_unknown_at_the_cold_start(self, told, open_store):
        model = open_store(told[0]).all(Model)[0]
        labels = {m.label for m in demo.sample_messages()}
        assert 0.6 * len(labels) < model.report["labels"] < 0.8 * len(labels)
        assert model.report["rows"] == demo.EXAMPLES * model.report["labels"]


class TestWithout:
    def test_customize_nothing_is_ever_answered(self, run, open_store):
        folder, cycles = run(without=["customize"])
        assert [(c.answered, c.accuracy, c.verdict) for c in cycles] == [(0, None, "no candidate")] * 2
        store = open_store(folder)
        assert store.all(Model) == []
        assert store.all(Row) != []

    def test_study_nothing_is_learned_from_use(self, run, told, open_store):
        folder, cycles = run(without=["study"])
        assert [(c.labels, c.holdout, c.verdict) for c in cycles] == [(0, 0, "no candidate")] * 2
        store = open_store(folder)
        assert len(store.all(Model)) == 1
        assert [s for s in store.all(Signal) if s.explicit] != []
        assert {g.why for g in store.all(Gap)} == {"cold start"}
        assert len(open_store(told[0]).all(Model)) > 1

    def test_a_room_that_the_demo_does_not_have_is_refused(self, run):
        with pytest.raises(SettingsError, match="has no room 'cellar' to switch off; choices: .*study"):
            run(without=["cellar"])


class TestFolder:
    def test_one_that_holds_something_else_is_refused_and_left_as_it_is(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(SettingsError, match=r"holds something else than a demo; .*--folder"):
            demo.run(turns=1, folder=tmp_path, as_json=True)
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("thesis.tex", "years of work")]

    def test_one_of_an_earlier_demo_is_cleared(self, told, tmp_path):
        shutil.copytree(told[0], tmp_path, dirs_exist_ok=True)
        (tmp_path / "note").touch()
        with pytest.raises(SettingsError, match="cellar"):
            demo.run(folder=tmp_path, without=["cellar"])
        assert sorted(p.name for p in tmp_path.iterdir()) == [demo.MARK, "help.jsonl", "seeds.jsonl"]

    def test_its_settings_are_those_of_the_shop(self, told):
        text = (told[0] / "flywheel.yaml").read_text()
        assert text.startswith("# The support desk of")


class TestReport:
    def test_it_names_each_turn_and_why(self, told):
        folder, cycles = told
        report = (folder / "report.md").read_text()
        table = [line for line in report.splitlines() if line.startswith("|")]
        assert table[0] == f"| {' | '.join(COLUMNS)} |"
        for line, c in zip(table[2:], cycles, strict=False):
            assert line.split(" | ")[:3] == [f"| {c.turn}", str(c.users), f"{c.answered:.1%}"]
            assert f"- turn {c.turn}: {c.verdict}: " in report
        assert "turn_seconds" in report

    @pytest.mark.slow
    def test_as_json_the_cycles_are_all_that_is_printed(self, run, capsys):
        _, cycles = run(seed=3)
        assert json.loads(capsys.readouterr().out) == msgspec.to_builtins(cycles)


class TestTrainer:
    def test_another_one_takes_the_heads_place_and_nothing_else(self):
        text = (files("openflywheel.window") / "shop/flywheel.yaml").read_text(encoding="utf-8")
        before, after = yaml.safe_load(text), yaml.safe_load(demo._taught_by(text, "encoder_lora"))
        assert after.pop("customize") == {"encoder_lora": {}}
        assert before.pop("customize") == {"head": {}}
        assert after == before
        assert demo._taught_by(text, "") == text

    def test_one_that_there_is_not_is_told_with_what_is_near(self, run):
        with pytest.raises(UnknownPlugin, match="did you mean 'encoder_lora'"):
            run(customize="encoder_lroa")

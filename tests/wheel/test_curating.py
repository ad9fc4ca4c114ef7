"""Curation beyond one process, through the settings of a flywheel."""

import json
import os
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from openflywheel.base.errors import SettingsError, UnknownRecord
from openflywheel.base.nouns import Record, Row
from openflywheel.base.settings import parse
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import Terms
from openflywheel.curate._engine.state import StateRefused
from openflywheel.store import Store
from openflywheel.wheel import curating
from openflywheel.wheel.explaining import explain

HEAD = "name: a\nstore: wheel\nencoder: ngrams\ntasks: {answer: {kind: text}}\nguard: {pii: {}}\n"
TERMS = Terms(basis="no_personal_data", purposes=("training",))


def settings(folder, curate, more=""):
    return parse(f"{HEAD}curate: {curate}\n{more}", folder=folder)


def lines(path, *texts):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def rows(folder):
    return sorted(DeltaTable(folder / "rows").to_pyarrow_table()["text"].to_pylist())


def reasons(folder):
    return sorted(DeltaTable(folder / "dropped").to_pyarrow_table()["reason"].to_pylist())


class TestBesideTheStore:
    STEPS = "[normalise, redact, length, dedupe]"

    def test_every_row_is_there_or_has_its_reason(self, tmp_path):
        source = lines(tmp_path / "in.jsonl", "write to ann@example.com", "Hello  there", "hello there", "x")
        card, steps = curating.curate_beside(settings(tmp_path, self.STEPS), source, tmp_path / "out", TERMS)
        assert "write to <email>" in rows(tmp_path / "out")
        assert reasons(tmp_path / "out") == ["duplicate", "too short"]
        assert (card.rows, [s.step for s in steps]) == (2, ["normalise", "redact", "length", "dedupe"])

    def test_a_second_run_adds_what_is_new_and_meets_what_was_there(self, tmp_path):
        one, out = settings(tmp_path, self.STEPS), tmp_path / "out"
        folder = tmp_path / "in"
        folder.mkdir()
        lines(folder / "a.jsonl", "hello there", "good bye")
        first, _ = curating.curate_beside(one, folder, out, TERMS)
        lines(folder / "b.jsonl", "Good bye", "see you")
        second, steps = curating.curate_beside(one, folder, out, TERMS)
        assert len(rows(out)) == second.rows == 3
        assert steps[0].took == 2  # what was read before is not read again
        assert first.version != second.version

    def test_the_version_is_that_of_one_run_over_all(self, tmp_path):
        one = settings(tmp_path, self.STEPS)
        folder = tmp_path / "in"
        folder.mkdir()
        lines(folder / "a.jsonl", "hello there", "good bye")
        curating.curate_beside(one, folder, tmp_path / "twice", TERMS)
        lines(folder / "b.jsonl", "see you", "later")
        twice, _ = curating.curate_beside(one, folder, tmp_path / "twice", TERMS)
        once, _ = curating.curate_beside(one, folder, tmp_path / "once", TERMS)
        assert twice.version == once.version

    def test_a_state_that_was_deleted_is_made_anew(self, tmp_path):
        one, out = settings(tmp_path, self.STEPS), tmp_path / "out"
        folder = tmp_path / "in"
        folder.mkdir()
        lines(folder / "a.jsonl", "hello there", "good bye")
        curating.curate_beside(one, folder, out, TERMS)
        shutil.rmtree(out / ".state")
        lines(folder / "b.jsonl", "Good bye", "see you")
        card, _ = curating.curate_beside(one, folder, out, TERMS)
        assert len(rows(out)) == card.rows == 3
        assert reasons(out) == ["duplicate"]

    def test_another_recipe_is_refused_and_nothing_is_lost(self, tmp_path):
        source, out = lines(tmp_path / "in.jsonl", "hello there"), tmp_path / "out"
        curating.curate_beside(settings(tmp_path, self.STEPS), source, out, TERMS)
        with pytest.raises(StateRefused, match="another folder"):
            curating.curate_beside(settings(tmp_path, "[normalise]"), source, out, TERMS)
        assert rows(out) == ["hello there"]

    def test_a_model_writes_more_about_some_rows(self, tmp_path, fake):
        fake.script({"rules": [{"answer": "How long is a lamp under warranty with us?"}]})
        more = f"serve: {{providers: {{far: {{url: '{fake.url}'}}}}}}\n"
        steps = "[synthesise: {model: far/m, most_share: 1, kinds: [question]}, dedupe]"
        source = lines(tmp_path / "in.jsonl", "A lamp is under warranty with us, as long as a year.")
        card, _ = curating.curate_beside(settings(tmp_path, steps, more), source, tmp_path / "out", TERMS)
        assert "How long is a lamp under warranty with us?" in rows(tmp_path / "out")
        assert card.synthetic == 0.5

    def test_what_is_reversible_can_be_restored_from_the_vault(self, tmp_path):
        pytest.importorskip("cryptography", reason="needs the extra vault")
        one = settings(tmp_path, "[redact: {reversible: [support]}]")
        source = lines(tmp_path / "in.jsonl", "write to ann@example.com")
        terms = Terms(basis="consent", purposes=("support", "training"))
        curating.curate_beside(
            settings(tmp_path, "[redact: {reversible: [support, training]}]"), source, tmp_path / "out", terms
        )
        [text] = rows(tmp_path / "out")
        assert "ann@example.com" not in text
        vault = curating.Workshop(one)["vault"]
        assert vault.restore(text, "support") == "write to ann@example.com"
        assert vault.restore(text, "marketing") == text


class TestEngine:
    def test_it_is_what_the_settings_say(self, tmp_path):
        with curating.engine(settings(tmp_path, "[normalise]")) as where:
            assert isinstance(where, Local)

    @pytest.mark.cluster
    @pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # Ray warns of its own settings
    def test_ray_is_asked_for_by_one_line(self, tmp_path):
        ray = pytest.importorskip("openflywheel.curate._engine.ray", reason="needs the extra ray")
        with curating.engine(settings(tmp_path, "[normalise]", "wheel: {engine: ray}\n")) as where:
            assert isinstance(where, ray.Ray)


class TestHandedIn:
    def test_what_no_step_is_handed_is_refused_by_name(self, tmp_path):
        with pytest.raises(
            SettingsError, match="wants 'experts', which is not handed to steps; choices: ask"
        ):
            curating.Workshop(settings(tmp_path, "[normalise]"))["experts"]

    def test_everything_else_can_be_asked_for(self, tmp_path):
        shop = curating.Workshop(settings(tmp_path, "[normalise]"))
        assert {name: shop[name] is not None for name in shop} == dict.fromkeys(shop, True)
        assert shop["holdouts"]() == []
        assert shop["workspace"] == Path(tmp_path / "wheel" / "curate")


class TestExplain:
    def test_every_step_says_what_it_did(self, desk, reopen):
        wheel = reopen(desk)
        wheel.store.append([Record(text="Write  to ann@example.com", source="t", purposes=("training",))])
        wheel.turn()
        [record] = [r for r in wheel.store.all(Record) if r.source == "t"]
        said = {s.step: s.did for s in explain(wheel, record.id)}
        assert said["normalise"] == "text: 'Write to ann@example.com'"
        assert said["redact"] == "text: 'Write to <email>'"
        assert (said["length"], said["dedupe"]) == ("nothing", "nothing")

    def test_a_row_is_explained_by_its_record(self, desk, reopen):
        wheel = reopen(desk)
        row = wheel.store.all(Row)[0]
        assert list(explain(wheel, row.id)) == list(explain(wheel, row.parents[0]))

    def test_a_drop_ends_the_way(self, desk, reopen):
        wheel = reopen(desk)
        short = Record(text="x", source="t", purposes=("training",))
        wheel.store.append([short])
        steps = list(explain(wheel, short.id))
        assert (steps[-1].step, steps[-1].did) == ("length", "dropped: too short")

    def test_a_duplicate_names_the_row_that_stays(self, desk, reopen):
        wheel = reopen(desk)
        twice = [
            Record(text=t, source="t", at=float(n), purposes=("training",))
            for n, t in enumerate(("Abc", "abc"))
        ]
        wheel.store.append(twice)
        wheel.turn()
        steps = list(explain(wheel, twice[0].id))
        assert steps[-1].did == f"dropped: duplicate, duplicate_of: {twice[1].id}"

    def test_before_the_first_passage_it_says_so(self, new, reopen):
        wheel = reopen(new)
        wheel.advance("collect")
        record = wheel.store.all(Record)[0]
        assert list(explain(wheel, record.id))[-1].did == "not yet; let them: flywheel turn --only curate"

    def test_nothing_by_that_name(self, desk, reopen):
        with pytest.raises(UnknownRecord, match="there is no record or row 'nobody'"):
            list(explain(reopen(desk), "nobody"))


class TestRecipe:
    @pytest.fixture
    def name(self, tmp_path):
        store = Store(tmp_path / "wheel")
        yield lambda one: curating.recipe(one, store)
        store.close()

    def test_it_names_all_that_decides(self, tmp_path, name):
        (tmp_path / "names.jsonl").write_text('{"id": "a", "name": "Acme"}\n')
        one = settings(tmp_path, "[redact, enrich: {entities: names.jsonl}]")
        before = name(one)
        assert name(settings(tmp_path, "[redact, enrich: {entities: names.jsonl}]")) == before
        assert name(settings(tmp_path, "[redact, enrich]")) != before
        more = parse(
            f"{HEAD}curate: [redact, enrich: {{entities: names.jsonl}}]\n".replace(
                "pii: {}", "pii: {}, secrets: {}"
            ),
            folder=tmp_path,
        )
        assert name(more) != before
        (tmp_path / "names.jsonl").write_text('{"id": "b", "name": "Beta"}\n')
        assert name(one) != before

    def test_a_new_holdout_is_another_recipe_where_a_step_looks_at_them(self, tmp_path, name):
        store = Store(tmp_path / "wheel")
        looks, does_not = settings(tmp_path, "[decontaminate]"), settings(tmp_path, "[normalise]")
        before = name(looks), name(does_not)
        store.append([Row(text="what is asked of models", source="t", role="holdout")])
        store.close()
        assert name(looks) != before[0]
        assert name(does_not) == before[1]


class TestPeople:
    def test_they_stand_under_the_keys_of_the_store(self, tmp_path):
        source = tmp_path / "in.jsonl"
        source.write_text(
            '{"text": "hello there", "subject": "ann@example.com"}\n{"text": "nobody", "subject": ""}\n'
        )
        curating.curate_beside(settings(tmp_path, "[normalise]"), source, tmp_path / "out", TERMS)
        found = (
            DeltaTable(tmp_path / "out" / "rows").to_pyarrow_table(columns=["text", "subject"]).to_pylist()
        )
        store = Store(tmp_path / "wheel")
        assert {r["text"]: r["subject"] for r in found} == {
            "hello there": store.key_of("ann@example.com"), "nobody": "",
        }  # fmt: skip
        store.close()

    def test_what_is_a_key_already_stays(self, tmp_path):
        source, key = tmp_path / "in.jsonl", "0123456789abcdef" * 2
        source.write_text(f'{{"text": "hello there", "subject": "{key}"}}\n')
        curating.curate_beside(settings(tmp_path, "[normalise]"), source, tmp_path / "out", TERMS)
        assert DeltaTable(tmp_path / "out" / "rows").to_pyarrow_table()["subject"].to_pylist() == [key]


class TestDocuments:
    def test_one_new_file_among_many_is_the_only_one_that_is_read(self, tmp_path):
        one, folder, out = settings(tmp_path, "[normalise]"), tmp_path / "in", tmp_path / "out"
        folder.mkdir()
        for n in range(20):
            (folder / f"{n:02d}.md").write_text(f"This is text number {n}.")
        curating.curate_beside(one, folder, out, TERMS)
        (folder / "00b.md").write_text("This one is new.")
        card, steps = curating.curate_beside(one, folder, out, TERMS)
        assert (steps[0].took, card.rows) == (1, 21)

    def test_the_version_does_not_depend_on_when_files_were_written(self, tmp_path):
        one, folder = settings(tmp_path, "[normalise, enrich]"), tmp_path / "in"
        folder.mkdir()
        (folder / "a.md").write_text("# A heading\n\nThis is a text about bicycles.")
        first, _ = curating.curate_beside(one, folder, tmp_path / "one", TERMS)
        os.utime(folder / "a.md", (1, 1))
        second, _ = curating.curate_beside(one, folder, tmp_path / "two", TERMS)
        assert first.version == second.version

    def test_a_table_among_documents_is_read_as_one(self, tmp_path):
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "a.csv").write_text("what,days\nshoes,30\n")
        curating.curate_beside(settings(tmp_path, "[extract]"), folder, tmp_path / "out", TERMS)
        assert rows(tmp_path / "out") == ["| what | days |\n| --- | --- |\n| shoes | 30 |"]

    def test_embeddings_stay_when_nothing_is_new(self, tmp_path):
        one, source = settings(tmp_path, "[embed]"), lines(tmp_path / "in.jsonl", "hello there")
        curating.curate_beside(one, source, tmp_path / "out", TERMS)
        curating.curate_beside(one, source, tmp_path / "out", TERMS)
        assert len(DeltaTable(tmp_path / "out" / "rows").to_pyarrow_table()["embedding"][0].as_py()) == 1024

    def test_a_dataset_in_its_own_source_is_refused(self, tmp_path):
        lines(tmp_path / "in.jsonl", "hello there")
        with pytest.raises(SettingsError, match="would lie in its own source"):
            curating.curate_beside(settings(tmp_path, "[normalise]"), tmp_path, tmp_path / "out", TERMS)

    def test_a_mistake_in_a_steps_settings_is_told_as_one(self, tmp_path):
        source = lines(tmp_path / "in.jsonl", "hello there")
        with pytest.raises(SettingsError, match=r"^curate\.chunk: tokens = 1"):
            curating.curate_beside(
                settings(tmp_path, "[chunk: {tokens: 1}]"), source, tmp_path / "out", TERMS
            )

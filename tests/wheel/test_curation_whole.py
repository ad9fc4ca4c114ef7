"""Every step of the room in one recipe, over a small set of everything: nothing is lost, nothing leaks."""

import io
import json
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from openflywheel.base import door
from openflywheel.base.nouns import Part, Reading, Record, Row
from openflywheel.base.settings import Settings, parse
from openflywheel.curate._engine.engine import Engine, Inline
from openflywheel.curate._engine.forget import forget
from openflywheel.curate._engine.ids import hashed
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import Terms, read, shards
from openflywheel.curate._engine.recall import recall
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.writing import write
from openflywheel.wheel import curating
from openflywheel.wheel.flywheel import Flywheel

Image = pytest.importorskip("PIL.Image", reason="needs the extra media")
pytest.importorskip("ftfy", reason="needs the extra curate")

TERMS = Terms(basis="contract", purposes=("training",), license="CC-BY-4.0", source="mixed")
ANSWER = "Please look after the delivery of my order, it never came."
LABELS = ("delivery", "returns", "billing", "account")
ASKED = {
    "delivery": "where is the delivery of my order {}, it never came on {}",
    "returns": "how do I send back the lamp from box {} that broke on {}",
    "billing": "why was my card charged twice for invoice {} on {}",
    "account": "I cannot sign in to the account {} since {}",
}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SAID = (
    "The lamp is sent back at our cost when it broke on its way to you, and a new one comes within days.",
    "Chairs are looked after by people who know them well; write to them when a leg of yours comes off.",
    "A table that is too large for its room can be cut to size in our shop, and the cut is oiled there.",
    "What was ordered in the evening leaves our house on the next day, except before long holidays.",
    "Nobody pays for the way back of a thing that we sent by mistake, whatever its size may have been.",
    "Colours on a screen are not those in daylight, so ask us for a piece of cloth before you choose.",
)
KEEP = [ASKED[label].format(1_000 + n, DAYS[n % 7]) for label in LABELS for n in range(0, 88, 4)]
EXAMPLES = [{"text": text, "keep": True} for text in (*KEEP, *SAID)]
EXAMPLES += [{"text": f"zq{n} xx vv {n} qq zz {n * 7} kk", "keep": False} for n in range(24)]
RECIPE = """\
  - extract
  - media
  - image_duplicates
  - mojibake
  - normalise
  - synthesise: {model: far/m, kinds: [paraphrase], most_share: 0.2}
  - language
  - quality
  - quality_classifier: {examples: examples.jsonl, keep: 1.0}
  - toxicity
  - redact
  - length: {least: 4, most: 20000}
  - chunk: {tokens: 64}
  - embed
  - topics: {topics: {parcels: where is the delivery of my order, money: my card was charged}}
  - staleness: {older_than: 730d}
  - decontaminate
  - decontaminate_semantic
  - enrich
  - labellers
  - dedupe
  - near_duplicates
  - semantic_duplicates
  - contradictions
  - label_errors: {then: report}
  - split: {validation: 0.15, held_out: 0.15}
  - mix: {sources: {chat: 0.5}, per_subject: 6}
"""


def settings(folder: Path, url: str, recipe: str = RECIPE) -> Settings:
    provider = f"serve: {{providers: {{far: {{url: '{url}'}}}}}}\n"
    head = "name: whole\nstore: wheel\nencoder: ngrams\ntasks: {route: {kind: label}}\nguard: {pii: {}}\n"
    (folder / "examples.jsonl").write_text("".join(json.dumps(e) + "\n" for e in EXAMPLES))
    return parse(f"{head}{provider}curate:\n{recipe}", folder=folder)


def messages() -> list[dict[str, Any]]:
    """Of eleven people, some of whom may only judge; two label the same; one is wrong now and then."""
    rows = []
    for n in range(88):
        label = LABELS[n % 4]
        rows.append({
            "text": ASKED[label].format(1_000 + n, DAYS[n % 7]),
            "source": "chat" if n % 3 else "tickets",
            "subject": f"{n % 11:032x}",
            "labels": {"route": LABELS[(n + 1) % 4] if n % 29 == 28 else label},
            "labelled_by": "expert" if n % 8 == 0 else "user",
            "purposes": ["evaluation"] if n % 11 == 4 else ["training", "evaluation"],
            "at": 1_700_000_000.0 + n,
        })  # fmt: skip
    return rows


def story(number: int, change: str = "") -> str:
    """Some sixty words that no other story shares; `change` is said in place of one."""
    words = [f"word{number}n{place} and" for place in range(30)]
    return " ".join([*words[:29], change or words[29], "."])


def odd() -> list[dict[str, Any]]:
    """Copies, near copies on both sides, and what each of the filters is for."""
    asked = messages()
    near = [{"text": story(n), "subject": f"{100 + n:032x}"} for n in range(6)]
    others = [
        {"text": story(n, "otherwise"), "subject": f"{200 + n:032x}", "labels": {"route": "account"}}
        | ({"purposes": ["evaluation"]} if n % 2 else {})
        for n in range(6)
    ]
    copies = [{**row, "text": row["text"].upper(), "at": row["at"] - 9_000} for row in asked[:20:3]]
    return [{"source": "forum"} | row for row in [
        *copies, *near, *others,
        {"text": "x"},
        {"text": "the price is 5 \ufffd\ufffd\ufffd\ufffd\ufffd"},
        {"text": "nobody may use this text for anything", "purposes": ["billing"]},
        {"text": "write to ann@example.com about the delivery of my order 77, it never came"},
        {"text": "zq3 xx vv 3 qq zz 21 kk"},
        {"text": "my lamp grew old", "published": "2001-01-01", "at": 1_700_000_000.0},
        {"text": "Refunds are paid within 30 days of the return.", "at": 1_600_000_000.0},
        {"text": "Refunds are paid within 14 days of the return.", "at": 1_700_000_000.0},
    ]]  # fmt: skip


def page(words: str) -> str:
    """A page that says all that there is to be said."""
    paragraphs = "".join(f"<p>{text}</p>" for text in SAID)
    head = f"<html><head><title>{words}</title></head><body><nav><a href='/'>Home</a></nav>"
    title = f"<h1>The {words}</h1><p>With a {words} comes more than one would think.</p>"
    return f"{head}<article>{title}{paragraphs}</article></body></html>"


def picture(seed: int, format: str = "PNG") -> bytes:
    waves = np.random.default_rng(seed).uniform(-3, 3, (6, 4))
    y, x = np.mgrid[0:64, 0:96] / 32
    grey = sum(a * np.sin(u * x + v * y + w) for a, u, v, w in waves)
    sink = io.BytesIO()
    levels = (255 * (grey - grey.min()) / np.ptp(grey)).astype(np.uint8)
    Image.fromarray(np.stack([levels, levels[::-1], levels], axis=2)).save(sink, format)
    return sink.getvalue()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The set as a folder of lines, pages, notes and pictures."""
    folder = tmp_path_factory.mktemp("mixed")
    for name, rows in (("messages", messages()), ("odd", odd())):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("lamp", "chair"):
        (folder / f"{name}.html").write_text(page(name))
    (folder / "note.md").write_text("# All of it\n\n" + "\n\n".join(reversed(SAID)))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing more")
    (folder / "what.xyz").write_bytes(b"\x00")
    (folder / "a.png").write_bytes(picture(1))
    (folder / "b.png").write_bytes(picture(2))
    (folder / "same.tif").write_bytes(picture(1, "TIFF"))
    (folder / "broken.png").write_bytes(b"\x89PNG no picture")
    return folder


@pytest.fixture
def model(fake):
    fake.script({"rules": [{"answer": ANSWER}]})
    return fake


def run_on(engine: Engine, one: Settings, source: Path, to: Path) -> str:
    """The version of the dataset that an engine makes."""
    with curate(
        shards(source, terms=TERMS), curating.opener(one), recipe="r", engine=engine, work=to / ".work"
    ) as result:
        return write(result, to, one.rooms["curate"]).version


def inputs(source: Path) -> dict[str, dict[str, Any]]:
    """id -> the row as it is read."""
    return {r["id"]: r for s in shards(source, terms=TERMS) for t in read(s) for r in t.to_pylist()}


def rows_in(to: Path) -> list[dict[str, Any]]:
    return [dict(r, meta=dict(r["meta"])) for r in DeltaTable(to / "rows").to_pyarrow_table().to_pylist()]


def dropped_in(to: Path) -> dict[str, str]:
    return {r["id"]: r["reason"] for r in DeltaTable(to / "dropped").to_pyarrow_table().to_pylist()}


def runs(text: str) -> set[tuple[str, ...]]:
    """Runs of five words."""
    words = text.casefold().replace(".", " ").replace(",", " ").split()
    return {tuple(words[n : n + 5]) for n in range(max(1, len(words) - 4))}


def leaks(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of nearly the same text on two sides."""
    said = [(row["role"], runs(row["text"]), row["text"]) for row in rows if row["text"]]
    return [
        (a[2], b[2])
        for a, b in combinations(said, 2)
        if a[0] != b[0] and len(a[1] & b[1]) >= 0.8 * len(a[1] | b[1])
    ]


def check_sides(rows: list[dict[str, Any]]) -> None:
    """Nobody, no document and no wording on two sides; what may not train does not."""
    sides = defaultdict(set)
    for row in rows:
        for key in (("subject", row["subject"]), ("address", row["uri"].partition("#")[0])):
            if key[1]:
                sides[key].add(row["role"])
    assert {key: found for key, found in sides.items() if len(found) > 1} == {}
    assert leaks(rows) == []
    assert {row["role"] for row in rows if "training" not in row["purposes"]} == {"holdout"}
    assert {row["role"] for row in rows} == {"train", "validation", "holdout"}


def test_the_recipe_has_every_step_of_the_room(tmp_path):
    assert sorted(c.name for c in settings(tmp_path, "http://x").rooms["curate"]) == sorted(
        door.names("curate")
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory, mixed, _provider):
    """The set after every step, in one process: where the dataset lies."""
    folder = tmp_path_factory.mktemp("whole")
    _provider.script({"rules": [{"answer": ANSWER}]})
    run_on(Inline(), settings(folder, _provider.url), mixed, folder / "out")
    return folder / "out"


class TestEverything:
    def test_what_went_in_came_out_or_has_a_reason(self, whole, mixed):
        given, rows, dropped = inputs(mixed), rows_in(whole), dropped_in(whole)
        became = defaultdict(list)
        for row in rows:
            for name in {row["unit"], *row["parents"]} & set(given):
                became[name].append(row)
        places = {r["uri"] for r in DeltaTable(whole / "dropped").to_pyarrow_table().to_pylist()} - {""}
        lost = set(given) - set(became) - set(dropped)
        assert {given[name]["uri"] for name in lost} <= places  # all its chunks went
        assert all(dropped.values())
        assert not {row["unit"] for row in rows} & set(dropped)
        own = [r for r in rows if "synthetic" not in r["meta"]]
        assert all(set(r["parents"]) & set(given) for r in own)
        card = json.loads((whole / "dataset.json").read_text())
        assert (card["rows"], sum(card["dropped"].values())) == (len(rows), len(dropped))
        assert card["dropped"] == dict(Counter(dropped.values()))

    def test_every_filter_took_what_is_its_own(self, whole, mixed):
        given, dropped = inputs(mixed), dropped_in(whole)
        by_text = {
            given[name]["text"] or given[name]["uri"]: why for name, why in dropped.items() if name in given
        }
        assert by_text["x"] == "too short"
        assert by_text["nobody may use this text for anything"].startswith("no purpose")
        assert by_text["my lamp grew old"] == "staleness: too old"
        assert by_text["zq3 xx vv 3 qq zz 21 kk"] == "quality_classifier: judged low"
        assert by_text["the price is 5 \ufffd\ufffd\ufffd\ufffd\ufffd"] == "mojibake: characters lost"
        assert by_text["what.xyz"] == "read: unknown kind of file"
        assert by_text["broken.png"] == "media: broken picture"
        assert by_text["broken.pdf"].startswith("extract: ")
        reasons = Counter(dropped.values())
        assert reasons["image_duplicates: looks like one that stays"] == 1
        assert reasons["duplicate"] >= 7
        assert reasons["mix: too much of one person"] >= 1

    def test_no_side_knows_the_other(self, whole):
        check_sides(rows_in(whole))

    def test_what_a_model_wrote_never_judges(self, whole):
        made = [row for row in rows_in(whole) if "synthetic" in row["meta"]]
        assert made
        assert {row["role"] for row in made} == {"train"}
        assert all("evaluation" not in row["purposes"] and row["text"] == ANSWER for row in made)

    def test_the_facts_of_the_steps_are_there(self, whole):
        rows = rows_in(whole)
        facts = set().union(*(row["meta"] for row in rows))
        assert {"lang", "toxicity", "keywords", "title", "topic", "section", "tokens", "part"} <= facts
        assert all("@example.com" not in row["text"] for row in rows)
        assert any("<email>" in row["text"] for row in rows)
        assert all(len(row["embedding"]) > 0 for row in rows if row["text"])
        assert {row["weight"] for row in rows if row["source"] == "chat"} != {1.0}
        parts = [row for row in rows if row["meta"].get("part")]
        assert {"note.md"} <= {row["uri"] for row in parts}
        old = [r for r in rows if r["text"].startswith("Refunds are paid within 30")]
        assert [bool(r["meta"].get("contradicted_by")) for r in old] == [True]


@pytest.mark.slow
def test_every_engine_makes_the_same_version(tmp_path, mixed, model):
    one = settings(tmp_path, model.url)
    versions = {"inline": run_on(Inline(), one, mixed, tmp_path / "inline")}
    for processes in (1, 2):
        with Local(processes) as engine:
            versions[f"local {processes}"] = run_on(engine, one, mixed, tmp_path / f"local{processes}")
    assert len(set(versions.values())) == 1, versions
    assert dropped_in(tmp_path / "inline") == dropped_in(tmp_path / "local2")


@pytest.mark.slow
def test_beside_the_store_it_is_the_same(tmp_path, mixed, model):
    """As `flywheel curate --to` does it: the same rows, and the steps' figures."""
    one = settings(tmp_path, model.url)
    card, steps = curating.curate_beside(one, mixed, tmp_path / "beside", TERMS)
    run_on(Inline(), one, mixed, tmp_path / "inline")
    said = [
        sorted((r["text"], r["role"], round(r["weight"], 9)) for r in rows_in(tmp_path / name))
        for name in ("beside", "inline")
    ]
    assert said[0] == said[1]
    assert [step.step for step in steps] == [c.name for c in one.rooms["curate"]]
    assert card.rows == len(said[0])
    check_sides(rows_in(tmp_path / "beside"))


# ---- through the wheel


def stored(wheel: Flywheel) -> list[Record]:
    """The set as records of the store."""
    objects = wheel.store.objects
    records = [Record(**{"source": "files", "purposes": ("training",)} | row) for row in _as_records()]
    for name, content, mime in (
        ("lamp.html", page("lamp").encode(), "text/html"),
        ("a.png", picture(1), "image/png"),
        ("same.jpg", picture(1, "JPEG"), "image/jpeg"),
    ):
        part = Part(mime=mime, uri=name, digest=objects.put(content))
        records.append(Record(text="", source="files", uri=name, parts=(part,), purposes=("training",)))
    wheel.store.append(records)
    return records


def _as_records() -> list[dict[str, Any]]:
    fields, found = set(Record.__struct_fields__), []
    for row in [*messages(), *odd()]:
        own = {n: tuple(v) if isinstance(v, list) else v for n, v in row.items() if n in fields}
        found.append(own | {"meta": {n: v for n, v in row.items() if n not in fields}})
    return found


@pytest.fixture
def open_wheel(tmp_path, model):
    opened = []

    def anew(recipe: str = RECIPE) -> Flywheel:
        opened.append(Flywheel(settings(tmp_path, model.url, recipe)))
        return opened[-1]

    yield anew
    for wheel in opened:
        wheel.close()


def test_a_turn_takes_the_set_through_every_step(open_wheel):
    wheel = open_wheel()
    records = stored(wheel)
    step = wheel.advance("curate")
    assert step.error == ""
    rows = wheel.store.all(Row)
    became = {parent for row in rows for parent in row.parents}
    lost = [r for r in records if r.id not in became]
    assert sum(step.dropped.values()) >= len(lost)
    assert all(step.dropped)
    plain = [
        {name: getattr(row, name) for name in ("text", "role", "subject", "uri", "purposes")} for row in rows
    ]
    check_sides(plain)
    names = {reading.name for reading in wheel.store.all(Reading)}
    for chosen in wheel.settings.rooms["curate"]:
        assert f"curate.{chosen.name}.cost" in names
        assert f"curate.{chosen.name}.yield" in names
    assert "curate.slowest" in names


SHORT = "  - normalise\n  - redact\n  - length: {least: 3}\n  - dedupe\n  - split: {held_out: 0.3}\n"


def figures(wheel: Flywheel, turn: int) -> dict[str, float]:
    return {
        r.name: r.value for r in wheel.store.all(Reading) if r.name.startswith("curate.") and r.turn == turn
    }


def test_turn_by_turn_the_steps_are_measured_and_old_rows_are_met(open_wheel):
    wheel = open_wheel(SHORT)
    rows = [Record(**{"source": "files", "purposes": ("training",)} | row) for row in _as_records()]
    wheel.store.append(rows[:60])
    [first] = [step for step in wheel.turn() if step.room == "curate"]
    wheel.store.append(rows[60:])
    [second] = [step for step in wheel.turn() if step.room == "curate"]
    assert (first.error, second.error) == ("", "")
    assert second.turn == first.turn + 1
    assert second.took == len({r.id for r in rows[60:]} - {r.id for r in rows[:60]})
    for turn in (first.turn, second.turn):
        found = figures(wheel, turn)
        assert {f"curate.{name}.{what}" for name in ("normalise", "redact", "length", "dedupe", "split")
                for what in ("cost", "yield")} <= set(found)  # fmt: skip
        assert all(0 <= value <= 1 for name, value in found.items() if name.endswith(".yield"))
        assert all(value >= 0 for name, value in found.items() if name.endswith(".cost"))
    [state] = [p for p in (wheel.store.path / "curate").iterdir() if (p / "manifest.json").exists()]
    assert {row.recipe for row in wheel.store.all(Row)} == {state.name}
    assert second.dropped["duplicate"] >= 7


def test_a_new_recipe_takes_everything_anew(open_wheel):
    wheel = open_wheel(SHORT)
    wheel.store.append([Record(source="t", purposes=("training",), text=f"Number {n}") for n in range(12)])
    wheel.advance("curate")
    [old] = {row.recipe for row in wheel.store.all(Row)}
    wheel.close()
    wheel = open_wheel(SHORT.replace("least: 3", "least: 9"))
    wheel.store.append([Record(source="t", purposes=("training",), text="Number 99")])
    step = wheel.advance("curate")
    assert step.dropped == {"too short": 10}
    fresh = [row for row in wheel.store.all(Row) if row.recipe != old]
    assert sorted(row.text for row in fresh) == ["Number 10", "Number 11", "Number 99"]
    states = [p.name for p in (wheel.store.path / "curate").iterdir() if (p / "manifest.json").exists()]
    assert states == [fresh[0].recipe]


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_forgotten_leaves_no_trace_and_its_copy_comes_back(open_wheel):
    wheel = open_wheel(SHORT)
    words = "a lamp that nobody else ever asked about"  # of two copies the newer one stays
    old, new = (Record(source="t", purposes=("training",), text=t, at=n) for n, t in
                ((1.0, words), (2.0, words.upper())))  # fmt: skip
    others = [Record(source="t", purposes=("training",), text=f"Number {n}") for n in range(5)]
    wheel.store.append([old, new, *others])
    wheel.advance("curate")
    texts = [row.text for row in wheel.store.all(Row)]
    assert words.upper() in texts
    assert words not in texts
    [state] = [p for p in (wheel.store.path / "curate").iterdir() if (p / "manifest.json").exists()]
    mark = int(hashed(pa.array([new.id]))[0]).to_bytes(8, "little")
    assert mark in bytes_in(state)
    assert new.id.encode() in bytes_in(state)
    assert forget(state, [new.id]) == 1
    assert mark not in bytes_in(state)
    assert old.id.encode() in bytes_in(state)
    wheel.store.append([Record(source="t", purposes=("training",), text="Number 77")])
    assert wheel.advance("curate").error == ""
    assert new.id.encode() not in bytes_in(state)
    found = recall(state, [old.id]).to_pylist()[0]
    assert (found["drop"], found["meta.duplicate_of"]) == (None, None)

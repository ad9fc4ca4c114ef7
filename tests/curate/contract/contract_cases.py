"""What the contract of steps is tested with: every plugin of the room, its settings, and tables to give it.

A plugin that is new is tested with its defaults. One that has required settings needs a line in SETTINGS.
"""
# ruff: noqa: RUF001, E501  letters of other scripts look like others; lists of texts are long

import inspect
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
from hypothesis import strategies as st
from msgspec import Struct
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.errors import MissingExtra
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Part, Record
from openflywheel.collect._files.transcribe import transcribe
from openflywheel.curate._engine.batches import ORIGIN, ready
from openflywheel.curate._whole import settled
from openflywheel.store.objects import Objects
from openflywheel.store.vault import Vault
from openflywheel.wheel.documents import read_document

Plugin: TypeAlias = Callable[..., Any]
Row: TypeAlias = dict[str, Any]

ROOM = "curate"
EARLIER = "earlier: said enough"

SETTINGS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "chunk": ({}, {"tokens": 16, "overlap": 4}),
    "contradictions": ({"drop": True}, {"trust": "credible", "most": 2}),
    "decontaminate": ({}, {"words": 4, "least": 2}),
    "decontaminate_semantic": ({"similarity": 0.6},),
    "dedupe": ({}, {"keep": "oldest"}, {"keep": "most_credible"}),
    "enrich": ({"entities": "entities.jsonl", "credibility": {"example.com": 0.9, "chat": 0.1}},),
    "extract": ({}, {"tier": "fast"}),
    "image_duplicates": ({}, {"distance": 0}),
    "label_errors": ({}, {"then": "drop"}, {"then": "report"}),
    "language": ({}, {"keep": ["en", "de"], "sample": 40}),
    "length": ({}, {"least": 10, "most": 200}),
    "mix": ({"sources": {"chat": 0.5}, "per_source": {"files": 2}, "per_subject": 1, "per_label": 0.5},),
    "mojibake": ({}, {"lost": 0.0}),
    "near_duplicates": ({}, {"similarity": 0.5, "shingle": 2, "keep": "oldest"}),
    "quality": ({}, {"lines": True, "rules": ["c4"], "sources": {"chat": {"limits": {"least_words": 3}}}}),
    "quality_classifier": ({"examples": "judged.jsonl"},),
    "redact": ({}, {"reversible": ["support"]}),
    "semantic_duplicates": ({"similarity": 0.8}, {"keep": "most_credible"}),
    "split": ({"validation": 0.3, "held_out": 0.3}, {"similarity": 0.4, "salt": 7}),
    "staleness": (
        {"older_than": "365d", "sources": {"chat": "10d"}, "before": "2019-06-01"},
        {"older_than": "365d", "drop": False},
    ),
    "synthesise": ({"model": "local/echo", "per_row": 2, "most_share": 1.5},),
    "topics": (
        {"topics": {"returns": "sending goods back, refunds", "pets": "a cat or a dog"}, "least": 0.05},
    ),
    "toxicity": ({"mentions": 1},),
}
DROPS: Mapping[str, tuple[str, ...]] = {
    "decontaminate_semantic": ("decontaminate: ",),
    "dedupe": ("duplicate",),
    "length": ("too short", "too long"),
    "quality": ("gopher: ", "repetition: ", "c4: ", "fineweb: "),
    "redact": ("forbidden: ",),
}
"""How the reasons of a step begin where they do not begin with its name."""
ADDS = ("chunk", "synthesise")  # steps that make rows of rows
TAKES = {"extract": {"content"}}  # columns that a step is there to take away, or to empty


class Case(Struct, frozen=True):
    """One use of a plugin; `settings` are JSON, so that a case can be hashed."""

    name: str
    settings: str

    def load(self, folder: Path) -> Plugin:
        """The plugin as the wheel binds it."""
        return door.load(ROOM, self.name, json.loads(self.settings), handed(folder))

    def __str__(self) -> str:
        return f"{self.name} {self.settings}" if self.settings != "{}" else self.name


@cache
def cases() -> tuple[list[Case], list[Case], list[str]]:
    """Uses of batch steps, of whole steps, and the plugins whose library is missing here."""
    batch, whole, missing = list[Case](), list[Case](), list[str]()
    for name in door.names(ROOM):
        try:
            parameters = inspect.signature(door.find(ROOM, name)).parameters.values()
        except MissingExtra:
            missing.append(name)
            continue
        uses = batch if any(p.kind is not p.KEYWORD_ONLY for p in parameters) else whole
        uses += [Case(name, json.dumps(given, sort_keys=True)) for given in SETTINGS.get(name, ({},))]
    return batch, whole, missing


def begins(name: str) -> tuple[str, ...]:
    """How a reason of a step may begin."""
    return DROPS.get(name, (f"{name}: ",))


# what the wheel hands in


def handed(folder: Path) -> dict[str, Any]:
    """Real things, all of which can be sent to another process."""
    return {
        "ask": echo,
        "detect": guard.Detect(
            [door.load("guard", "pii"), door.load("guard", "secrets", {"mode": "refuse"})]
        ),
        "documents": read_document,
        "encoder": NgramEncoder(),
        "folder": folder,
        "holdouts": held_out,
        "objects": Objects(folder / "objects"),
        "tasks": {},
        "transcribe": transcribe,
        "vault": Vault(folder / "vault.db", b"a secret of the store, 32 bytes."),
        "workspace": folder / "curate",
    }


def echo(prompt: str, *, model: str) -> str:
    """A model that says a text's words in the order of the alphabet: all of it grounded, and no copy."""
    return f"{model.partition('/')[2]} " + " ".join(sorted(prompt.split("\n")[-3].split())[:30])


def held_out() -> Sequence[str]:
    """Some of which `TEXTS` have."""
    return (
        "where is my parcel",
        "",
        "How do I send back a jacket that does not fit me, and who pays for it?",
    )


def furnished(folder: Path) -> Path:
    """A folder with what the settings above name."""
    (folder / "curate").mkdir()
    objects = Objects(folder / "objects")
    for content in (*DOCUMENTS, *pictures()):
        objects.put(content)
    good = [f"the old bridge of town number {n} is open to walkers in the evening" for n in range(25)]
    poor = [f"click buy now cheap offer {n} login menu share subscribe banner" for n in range(25)]
    examples = [{"text": t, "keep": True} for t in good] + [{"text": t, "keep": False} for t in poor]
    (folder / "judged.jsonl").write_text("\n".join(map(json.dumps, examples)))
    entities = [
        {"id": "e-1", "name": "Acme Inc.", "aliases": ["Acme"], "kind": "company"},
        {"id": "e-2", "name": "猫", "kind": "animal"},
    ]
    (folder / "entities.jsonl").write_text("\n".join(map(json.dumps, entities)), encoding="utf-8")
    return folder


# what the rows hold

PAGE = (
    "<html lang=en><head><title>Returns</title><meta name=author content='A. Writer'></head><body>"
    "<nav><a href=/>Home</a><a href=/x>Shop</a></nav><article><h1>Returns</h1>"
    + "<p>Goods can be sent back within thirty days of their delivery, in the box in which they came.</p>" * 6
    + "</article><footer>Copyright, all rights reserved</footer></body></html>"
).encode()
DOCUMENTS = (
    PAGE, b"", b"\x00\xff\xfe" * 40, b"<html><body></body></html>", b"%PDF-1.7 broken",
    b"a,b\n1,2\n3,4\n", "# Heading\n\nNaïve text, 猫.\n".encode(), b"{\"a\": [1, 2",
)  # fmt: skip
NAMES = ("page.html", "table.csv", "notes.md", "broken.pdf", "data.json", "unknown", "a.docx", "m.eml")


@cache
def pictures() -> tuple[bytes, ...]:
    """Two that look alike, another one, and one that is broken."""
    made = []
    for shade, size in ((10, (32, 24)), (11, (32, 24)), (200, (9, 30))):
        image = Image.new("RGB", size)
        image.putdata([((x * shade) % 256, (x // 7) % 256, shade) for x in range(size[0] * size[1])])
        file = io.BytesIO()
        said = PngInfo()
        said.add_text("Author", "somebody")  # media takes it out, so that the part gets another digest
        image.save(file, "PNG", pnginfo=said)
        made.append(file.getvalue())
    return (*made, made[0][:60])


LONG = " ".join(
    f"Sentence number {n} of a long text speaks of the river, the town and its bridge." for n in range(60)
)
TEXTS = (
    "", " ", "\n\n\n", "ok", "😀", "👩‍👩‍👧‍👦 🏳️‍🌈 1️⃣", "猫は台所で眠っています。犬は庭で遊んでいます。", "这只猫在厨房里睡觉。",
    "แมวนอนหลับอยู่ในห้องครัว", "القطة نائمة في المطبخ، والكلب في الحديقة.", "החתול ישן במטבח", "Кошка спит на кухне.",
    "Η γάτα κοιμάται στην κουζίνα.", "बिल्ली रसोई में सो रही है", "고양이가 부엌에서 자고 있습니다", "İstanbul'da kış SOĞUK geçer",
    "Die Katze schläft in der Küche, und der Hund ist im Garten.", "café", "cafe\u0301", "\u202egnp.exe\u202c", "a\u200bb\u00adc",
    "\x00\x01\x1f\x7f\x85", "schÃ¶n, donâ€™t", "lost \ufffd\ufffd\ufffd", "\U0001f468\u200d", "\ufe0f\u200d", "\U000e0041\U0010ffff",
    "the old bridge of town number 7 is open to walkers in the evening",
    "where is my parcel", "WHERE is  my Parcel", "Where is my parcel?",
    "How do I send back a jacket that does not fit me, and who pays for it?",
    "Write to jane.doe@example.com or call +49 30 901820.", "Card 4111 1111 1111 1111, IBAN DE89370400440532013000.",
    "token = 'ghp_0123456789abcdefghijklmnopqrstuvwxyzAB'", "AKIAIOSFODNN7EXAMPLE and password: hunter2hunter2",
    "Returns are accepted by the shop within 30 days of delivery.", "Returns are accepted by the shop within 14 days of delivery.",
    "Returns are not accepted by the shop within 30 days of delivery.", "This page is obsolete. See the new one.",
    "fuck fuck fuck you whore", "Acme and the 猫 of Acme Inc. went home.",
    "# Heading\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "```python\nif x:\n    print( 'y'  )\n", "```\n{\n\tlorem ipsum\n}\n```",
    "def f(x):\n    return {x: [x] * 3}  # javascript", "<b>bold</b> &amp; <script>alert(1)</script>", "\r\n\tTabs\r\nand\u2028lines\u2029",
    LONG, LONG.replace("river", "lake"), LONG.replace("bridge", "harbour"), "word " * 300, "x" * 3_000, "猫" * 700, "1 2 3 4 5 6 7 8 9 " * 40,
)  # fmt: skip
FACTS: Mapping[str, tuple[str, ...]] = {
    "published": ("2020-01-31", "2020-02-31", "2018", "2021-05-05T10:00:00Z", "soon", "", "٢٠٢٠-٠١-٠١"),
    "modified": ("2019-01-01", "2024-12-31", "0000-00-00"),
    "credibility": ("0.9", "1", "0", "1.5", "high", "", "nan"),
    "lang": ("en", "zh", "und", "", "tlh"),
    "title": ("A title", "", "猫"),
    "section": ("Install > Linux",),
    "phash": ("00ff00ff00ff00ff", "00ff00ff00ff00fe", "none", ""),
    "entities": ("e-1", "e-1; e-2", ""),
    "extract_confidence": ("0.97",),
    "labeller": ("p1", "p2"),
    "synthetic": ("question",),
    "part": ("0", "3"),
}


def some_texts() -> st.SearchStrategy[str]:
    """Those above, alone, with changes and together, and what nobody thought of."""
    known = st.sampled_from(TEXTS)
    both = st.tuples(known, st.sampled_from((" ", "\n", "", "\u3000", ". ")), known).map("".join)
    return known | known | both | known.map(str.upper) | st.text(max_size=60)


def some_facts() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in FACTS.items()})


def picture_parts() -> list[Part]:
    return [Part(mime="image/png", uri="", digest=sha256(c).hexdigest()) for c in pictures()]


def some_parts() -> st.SearchStrategy[tuple[Part, ...]]:
    parts = [*picture_parts(), Part(mime="text/html", uri="", digest=sha256(PAGE).hexdigest())]
    return st.just(()) | st.lists(st.sampled_from(parts), min_size=1, max_size=2).map(tuple)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """One row: a Record, and the working columns that earlier steps may have left."""
    record = Record(
        text=draw(some_texts()),
        source=draw(st.sampled_from(("chat", "files", "crawl", ""))),
        uri=draw(st.sampled_from(("", "https://example.com/a#1", "https://www.example.com/b", "no address", "http://["))),
        subject=draw(st.sampled_from(("", "p1", "p2"))),
        purposes=draw(st.sampled_from(((), ("training",), ("evaluation",), ("support",), ("training", "evaluation")))),
        labels=draw(st.sampled_from(({}, {"t": "a"}, {"t": "b"}, {"t": "a", "u": ""}))),
        labelled_by=draw(st.sampled_from(("", "seed", "user", "expert"))),
        parents=draw(st.sampled_from(((), ("doc-1",), ("doc-2", "doc-1")))),
        meta=draw(some_facts()),
        parts=draw(some_parts()),
        at=draw(st.sampled_from((0.0, 1.5e9, 1.7e9, 1.7e9 + 0.5))),
    )  # fmt: skip
    return msgspec.structs.asdict(record) | {
        "drop": draw(st.sampled_from((None, None, None, None, EARLIER))),
        "content": draw(st.sampled_from((None, None, *DOCUMENTS))),
        "role": draw(st.sampled_from((None, "train", "validation", "holdout"))),
        "weight": draw(st.sampled_from((None, 1.0, 0.25))),
        "meta.lang": draw(st.sampled_from((None, "de", "ja"))),
    }


WORKING = {"content": pa.binary(), "role": pa.string(), "weight": pa.float64(), "meta.lang": pa.string()}
LEFT = (("content",), ("role", "weight"), ("meta.lang",), ())  # what the steps before may have left


def table_of(some: Sequence[Row], working: Sequence[str] = ()) -> pa.Table:
    """Rows as a batch of the engine: each id once."""
    some = list({row["id"]: row for row in some}.values())
    records = [Record(**{f: row[f] for f in Record.__struct_fields__}) for row in some]
    table = pa.Table.from_batches([to_batch(records, Record)])
    table = table.append_column("drop", pa.array([row["drop"] for row in some], pa.string()))
    for name in working:
        table = table.append_column(name, pa.array([row[name] for row in some], WORKING[name]))
    return ready(table)


def tables(most: int = 10) -> st.SearchStrategy[pa.Table]:
    return st.builds(
        table_of,
        st.lists(rows(), max_size=most),
        st.sampled_from([(), *((*a, *b) for a in LEFT for b in LEFT if a < b)]),
    )


def with_twins(table: pa.Table) -> pa.Table:
    """The rows, each followed by one that says the same under another id, and was dropped."""
    ids = pa.array([f"twin of {name}" for name in table["id"].to_pylist()], pa.string())
    twins = table.set_column(table.column_names.index("id"), "id", ids)
    said = pa.array([EARLIER] * table.num_rows, pa.string())
    twins = twins.set_column(table.column_names.index("drop"), "drop", said)
    both = pa.concat_tables([table, twins])
    order = [n // 2 + n % 2 * table.num_rows for n in range(both.num_rows)]
    return ready(both.take(pa.array(order, pa.int64())))


def of_texts(texts: Sequence[str], **fields: Any) -> pa.Table:
    """A batch of plain texts that may teach, each with an address of its own."""
    common = {"source": "files", "purposes": ("training",), "at": 1.7e9} | fields
    made = [
        Record(**{"text": text, "uri": f"https://example.com/{n}"} | common) for n, text in enumerate(texts)
    ]
    return table_of([msgspec.structs.asdict(record) | {"drop": None} for record in made])


@cache
def mixed_table() -> pa.Table:
    """Every text above, in a table with two rows that were dropped and with labels and people."""
    made = []
    for n, text in enumerate(TEXTS):
        facts = {
            name: values[n % len(values)] for name, values in FACTS.items() if n % 3 and name not in NEVER
        }
        labels = {"t": "ab"[n % 2]} if n % 4 == 0 else {}
        record = Record(
            text=text, source=("files", "chat")[n % 2], uri=f"https://example.com/{n}", subject=f"p{n % 5}",
            purposes=("support",) if "@" in text else ("training",) if n % 7 else ("evaluation",), labels=labels, labelled_by="user", meta=facts, at=1.6e9 + n,
            parts=(picture_parts()[n % 4],) if n % 5 == 0 else (),
        )  # fmt: skip
        made.append(msgspec.structs.asdict(record) | {"drop": EARLIER if n in (5, 30) else None})
    return table_of(made)


NEVER = ("synthetic", "part")  # facts that keep a step from looking at a row


# what is compared


def told(table: pa.Table) -> dict[int, list[Row]]:
    """Origin -> the rows that came of it, in their order, without what is null."""
    found: dict[int, list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault(row[ORIGIN], []).append({k: v for k, v in row.items() if v is not None})
    return found


def pieces(table: pa.Table, order: Sequence[int], sizes: Sequence[int]) -> Iterator[pa.Table]:
    """The rows in another order, in batches of these sizes and the rest."""
    shuffled, start = table.take(pa.array(order, pa.int64())), 0
    for size in (*sizes, table.num_rows):
        if start < table.num_rows:
            yield shuffled.slice(start, size)
        start += size


def apply(case: Case, plugin: Plugin, table: pa.Table) -> pa.Table:
    """A step, whole or not, on one table."""
    return settled(plugin(), table) if case in cases()[1] else plugin(table)

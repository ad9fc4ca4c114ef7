import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Passed, Record, Verdict
from openflywheel.curate._windows import Hints
from openflywheel.curate.redact import Kept, Opinion, redact
from openflywheel.guard._spans import Hints as Some

PRESIDIO = Path(__file__).parents[3] / "shared" / "data" / "presidio_pii" / "synth_dataset_v2.json"
GUARDS = [door.load("guard", "pii"), door.load("guard", "secrets")]
REAL = guard.Detect(GUARDS)


def verdict(check: str, passed: Passed) -> Verdict:
    return Verdict(check=check, about="", passed=passed, n=1)


class Shout:
    """A guard that hides x, and refuses y and z; it remembers what it has seen."""

    def __init__(self, hints: Hints | None = None) -> None:
        self.hints, self.seen = hints, list[str]()

    def __call__(self, text: str) -> Opinion:
        return self.pseudonymous(text, lambda kind, value: f"<{value}>")

    def pseudonymous(self, text: str, name: Callable[[str, str], str]) -> Opinion:
        self.seen.append(text)
        hidden = (verdict("pii", "yes"),) if "x" in text else ()
        refused = tuple(
            verdict(check, "no") for check, mark in [("rude", "y"), ("injection", "z")] if mark in text
        )
        return text.replace("x", name("letter", "x")), (*hidden, *refused)


class Drawer:
    """A vault that anybody can look into."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []

    def token(self, kind: str, value: str, purposes: Sequence[str]) -> str:
        return f"<{kind}-{'abcdefghijklm' if value else ''}>"

    def keep(self, found: Sequence[Kept]) -> None:
        self.kept += found


def batch(
    texts: Sequence[str], drops: Sequence[str | None] | None = None, purposes: tuple[str, ...] = ("training",)
) -> pa.Table:
    records = [Record(text=t, source="test", subject="ann", purposes=purposes) for t in texts]
    column = pa.array(drops or [None] * len(texts), pa.string())
    return pa.Table.from_batches([to_batch(records, Record).append_column("drop", column)])


def texts_of(table: pa.Table) -> list[str]:
    found: list[str] = table["text"].to_pylist()
    return found


def test_texts_come_out_as_they_may_go_on() -> None:
    table = redact(batch(["ax", "b"]), detect=Shout(), vault=Drawer())
    assert texts_of(table) == ["a<x>", "b"]
    assert table["drop"].to_pylist() == [None, None]


def test_a_no_drops_the_row_for_the_first_check_that_says_so() -> None:
    table = redact(batch(["xy", "zy", "z"]), detect=Shout(), vault=Drawer())
    assert table["drop"].to_pylist() == ["forbidden: rude", "forbidden: rude", "forbidden: injection"]
    assert table["text"][0].as_py() == "<x>y"


def test_dropped_rows_are_not_looked_at() -> None:
    detect = Shout()
    table = redact(batch(["ax", "bx"], ["too short", None]), detect=detect, vault=Drawer())
    assert detect.seen == ["bx"]
    assert texts_of(table) == ["ax", "b<x>"]
    assert table["drop"].to_pylist() == ["too short", None]


def test_only_what_lies_near_a_hint_is_looked_at() -> None:
    far = "harmless line\n" * 100
    detect = Shout(Some(lines=("x",), texts=()))
    table = redact(batch([far, f"{far}ax\n{far}", ""]), detect=detect, vault=Drawer())
    assert texts_of(table) == [far, f"{far}a<x>\n{far}", ""]
    assert len(detect.seen) == 1
    assert len(detect.seen[0]) < 500


def test_a_hint_of_whole_texts_shows_the_text_from_end_to_end() -> None:
    far = "harmless line\n" * 100
    detect = Shout(Some(lines=("x",), texts=("BEGIN",)))
    redact(batch([f"{far}BEGIN\n{far}x", "x"]), detect=detect, vault=Drawer())
    assert detect.seen == [f"{far}BEGIN\n{far}x", "x"]


def test_the_first_check_is_that_of_the_whole_text_wherever_it_stands() -> None:
    far = "harmless line\n" * 100
    detect = Shout(Some(lines=("[xyz]",), texts=()))
    table = redact(batch([f"z\n{far}y\n{far}x"]), detect=detect, vault=Drawer())
    assert table["drop"].to_pylist() == ["forbidden: rude"]
    assert table["text"][0].as_py().endswith("<x>")


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("axyz", max_size=4), st.sampled_from([None, "before"])), max_size=10))
def test_no_row_is_lost_and_drops_have_a_reason(rows: list[tuple[str, str | None]]) -> None:
    given_table = batch([r[0] for r in rows], [r[1] for r in rows])
    table = redact(given_table, detect=Shout(), vault=Drawer())
    assert table.drop_columns(["drop", "text"]) == given_table.drop_columns(["drop", "text"])
    assert table.schema == given_table.schema
    for (text, before), after, reason in zip(rows, texts_of(table), table["drop"].to_pylist(), strict=True):
        assert after == (text if before else Shout()(text)[0])
        assert (reason is not None) == bool(before or "y" in text or "z" in text)


def test_a_table_in_several_chunks_and_one_without_rows() -> None:
    table = pa.concat_tables([batch(["x"]), batch(["b", "x"]).slice(1)])
    assert texts_of(redact(table, detect=Shout(), vault=Drawer())) == ["<x>", "<x>"]
    assert redact(batch([]), detect=REAL, vault=Drawer()) == batch([])


PIECES = st.sampled_from([
    "jo@example.com", "4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "536-22-1234", "my SSN is",
    "536221234", "8.8.8.8", "2001:db8::1", "(212) 555-0143", "+49 (0)30 901820", "467 3395", "call me on",
    "order number", "٤٦٧ ٣٣٩٥", "sk-" + "Ab1" * 16, "ghp_" + "Ab1" * 12,
    "eyJ" + "Ab1" * 5 + ".eyJ" + "Ab1" * 5, "-----BEGIN PRIVATE KEY-----", "MIIE",
    "-----END PRIVATE KEY-----", "password", "PA\u017f\u017fWORD", "to\u212aen", ":", "=>", " is", "\u0130s",
    "for my account", "hunter22!", "swordfish", "${KEY}", '"', "2024-05-12", "x12",
])  # fmt: skip
GLUE = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "\n\n",
        "\u00a0",
        "\u2028",
        "\r\n",
        "\t",
        ", ",
        "-",
        ".",
        "é" * 70,
        "漢" * 60,
        " lorem ipsum\n" * 20,
    ]
)
MESSY = st.lists(st.tuples(PIECES, GLUE).map("".join), max_size=12).map("".join)


@settings(deadline=None)
@given(st.lists(MESSY, max_size=4))
def test_the_guards_find_as_much_as_if_they_had_read_all(texts: list[str]) -> None:
    table = redact(batch(texts), detect=REAL, vault=Drawer())
    assert texts_of(table) == [guard.apply(GUARDS, text)[0] for text in texts]


def test_a_word_before_the_line_counts_wherever_the_blocks_are_cut() -> None:
    texts = ["a" * pad + "\ncall me on\n467 3395\n" for pad in range(200)]
    table = redact(batch(texts), detect=REAL, vault=Drawer())
    assert texts_of(table) == [text.replace("467 3395", "<phone>") for text in texts]


@settings(deadline=None)
@given(MESSY, st.sampled_from(["pii", "secrets"]))
def test_guards_refuse_as_if_they_had_read_all(text: str, strict: str) -> None:
    guards = [door.load("guard", n, {"mode": "refuse"} if n == strict else {}) for n in ("pii", "secrets")]
    table = redact(batch([text]), detect=guard.Detect(guards), vault=Drawer())
    said = [f"forbidden: {v.check}" for v in guard.apply(guards, text)[1] if v.passed == "no"]
    assert table["drop"].to_pylist() == ([*said, None])[:1]


@pytest.mark.skipif(not PRESIDIO.exists(), reason=f"no data: {PRESIDIO} is absent")
def test_presidio_sentences_alone_and_as_one_document() -> None:
    texts = [row["full_text"] for row in json.loads(PRESIDIO.read_text())]
    texts += ["\n".join(texts), ". ".join(texts[:300])]
    table = redact(batch(texts), detect=REAL, vault=Drawer())
    assert texts_of(table) == [guard.apply(GUARDS, text)[0] for text in texts]


def test_a_guard_that_gives_no_hint_sees_every_text() -> None:
    def own(text: str) -> tuple[str, Verdict]:
        return text.upper(), verdict("own", "yes")

    detect = guard.Detect([*GUARDS, own])
    assert detect.hints is None
    assert texts_of(redact(batch(["harmless"]), detect=detect, vault=Drawer())) == ["HARMLESS"]


def test_restorable_rows_get_tokens_and_their_values_are_kept() -> None:
    vault, text = Drawer(), "I am jo@example.com, my password is hunter22!"
    table = redact(
        batch([text, "none"], purposes=("support",)), reversible=("support",), detect=REAL, vault=vault
    )
    assert texts_of(table) == ["I am <email-abcdefghijklm>, my password is <secret>", "none"]
    assert vault.kept == [("<email-abcdefghijklm>", "jo@example.com", ("support",), "ann")]


@pytest.mark.parametrize("purposes", [(), ("training",), ("support", "training")])
def test_a_row_for_any_other_purpose_is_redacted_for_good(purposes: tuple[str, ...]) -> None:
    vault = Drawer()
    table = redact(
        batch(["I am jo@example.com"], purposes=purposes), reversible=("support", "evaluation"),
        detect=REAL, vault=vault,
    )  # fmt: skip
    assert (texts_of(table), vault.kept) == (["I am <email>"], [])


def test_nothing_of_a_refused_row_is_kept() -> None:
    vault = Drawer()
    table = redact(batch(["xy", "x"]), reversible=("training",), detect=Shout(), vault=vault)
    assert table["drop"].to_pylist() == ["forbidden: rude", None]
    assert len(vault.kept) == 1


@settings(deadline=None)
@given(MESSY)
def test_a_row_with_tokens_is_as_clean_as_one_without(text: str) -> None:
    plain, vault = guard.apply(GUARDS, text)[0], Drawer()
    assume(guard.apply(GUARDS, plain) == (plain, ()))
    once = texts_of(redact(batch([text]), reversible=("training",), detect=REAL, vault=vault))[0]
    assert guard.apply(GUARDS, once) == (once, ())


def test_the_door_hands_the_guards_and_the_vault_in() -> None:
    assert door.describe("curate", "redact").handed == ("detect", "vault")
    step = door.load("curate", "redact", handed={"detect": Shout(), "vault": Drawer()})
    assert texts_of(step(batch(["x"]))) == ["<x>"]


def test_facts_are_redacted_as_texts_are() -> None:
    facts = {"author": "ann@example.com", "title": "Returns"}
    records = [Record(text=t, source="test", meta=m) for t, m in (("hello", facts), ("bye", {}))]
    table = pa.Table.from_batches([to_batch(records, Record)]).append_column("drop", pa.nulls(2, pa.string()))
    table = table.append_column("meta.site", pa.array(["write to bob@example.com", None]))
    out = redact(table, detect=REAL, vault=Drawer())
    assert [dict(m) for m in out["meta"].to_pylist()] == [{"author": "<email>", "title": "Returns"}, {}]
    assert out["meta.site"].to_pylist() == ["write to <email>", None]
    assert (out["drop"].null_count, texts_of(out)) == (2, ["hello", "bye"])


def test_a_fact_that_a_guard_refuses_drops_its_row() -> None:
    records = [
        Record(text=t, source="test", meta={"note": n}) for t, n in (("a", "very rude: y"), ("b", "fine"))
    ]
    table = pa.Table.from_batches([to_batch(records, Record)]).append_column("drop", pa.nulls(2, pa.string()))
    assert redact(table, detect=Shout(), vault=Drawer())["drop"].to_pylist() == ["forbidden: rude", None]

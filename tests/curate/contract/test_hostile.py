"""Texts made to break things: every step gets through each of them without an exception, in bounded CPU.

Each step runs in a process of its own, which the kernel ends after `SECONDS` of CPU: that is some twenty
times what the slowest needs, and far less than anything quadratic in these sizes.
"""

import multiprocessing
import resource
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import contract_cases as cases
import pyarrow as pa
import pytest
from contract_cases import Case

from openflywheel.curate._batches import kept
from openflywheel.curate._engine.batches import ORIGIN

SECONDS = 60  # CPU, for one step and all texts
USES = [case for uses in cases.cases()[:2] for case in uses]
STEPS = [*{case.name: case for case in reversed(USES)}.values()][::-1]  # the first use of each plugin
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pyarrow.compute", "openflywheel.curate", "openflywheel.guard"])


def texts() -> Iterator[tuple[str, str]]:
    """(what it is, the text)."""
    yield "2 MB without a space", "x" * 2_000_000
    yield "1 MB of ideographs", "猫" * 350_000
    yield "100,000 lines", "a line\n" * 100_000
    yield "100,000 lines of nothing", "\n" * 100_000
    yield "nested brackets", "[" * 50_000 + "]" * 50_000
    yield "nested braces and quotes", "{\"'" * 50_000
    yield "nested quotes of Markdown", "> " * 50_000 + "x"
    yield "nested tags", "<div>" * 50_000 + "text"
    yield "open tags", "<" * 50_000 + "a href='" * 10_000
    yield "a million spaces", " " * 1_000_000
    yield "spaces between words", ("word" + " " * 1_000) * 500
    yield "one n-gram", "to be or not to be " * 20_000
    yield "a fence without an end", "```python\n" + "x = {1: 2}\n" * 10_000
    yield "fences in fences", "```\n~~~~\n" * 10_000
    yield "columns", "| a " * 5_000 + "|\n" + "|---" * 5_000 + "|\n" + "| 1 " * 5_000 + "|\n"
    yield "headings", "###### h\n" * 20_000
    yield "regex bombs", "a" * 50_000 + "!" + "(a+)+$" * 1_000 + "0" * 50_000 + "@" * 20_000
    yield "nearly e-mail addresses", "a." * 40_000 + "@" + "b-" * 40_000
    yield "nearly numbers of cards", "4111 1111 1111 111 " * 10_000
    yield "digits", "1234567890" * 20_000
    yield "nearly secrets", "sk-" * 20_000 + "password=" * 10_000 + "-----BEGIN " * 5_000
    yield "combining marks", "e" + "\u0301" * 100_000
    yield "joiners", "\u200d\ufe0f" * 50_000 + "😀\u200d" * 20_000
    yield "written from right to left", "\u202e\u2066" * 50_000 + "القطة " * 5_000
    yield "controls", "\x00\x1f\x1e\x7f" * 25_000
    yield "mojibake", "donâ€™t schÃ¶n " * 10_000
    yield "dots", "." * 100_000 + "...\n" * 10_000
    yield "one claim", "Returns are accepted by the shop within 30 days of delivery. " * 5_000
    yield "links", "[x](http://a.b/c?d=e) " * 10_000


@pytest.mark.slow
@pytest.mark.parametrize("case", STEPS, ids=str)
def test_a_step_gets_through_hostile_texts(folder: Path, case: Case) -> None:
    check(case, folder, "plain")


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in STEPS if c.name == "extract"], ids=str)
def test_documents_of_hostile_bytes_are_read(folder: Path, case: Case) -> None:
    check(case, folder, "documents")


def check(case: Case, folder: Path, kind: str) -> None:
    """Run the step in another process, which says at which text it is."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=work, args=(theirs, case, folder, kind))
    child.start()
    theirs.close()
    said = list(heard(ours))
    child.join()
    child.close()
    assert said, f"{case} ended before its first text"
    assert said[-1] == "done", f"{case}: at {said[-1]!r}"


def heard(ours: Connection) -> Iterator[str]:
    """What a process says until it ends."""
    with ours:
        try:
            while True:
                yield ours.recv()
        except EOFError:
            return


def work(theirs: Connection, case: Case, folder: Path, kind: str) -> None:
    """Every text by itself, so that the one at fault is known; then all of them together."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    plugin, every = case.load(folder), dict(texts())
    given = [*every.values()] if case in cases.cases()[1] else []
    with theirs:
        try:
            for what, text in every.items():
                if not given:
                    theirs.send(what)
                    passed(case, cases.apply(case, plugin, batch([text], kind)), 1)
            if given:
                theirs.send("all together")
                passed(case, cases.apply(case, plugin, batch(given * 2, kind)), 2 * len(given))
        except Exception:
            theirs.send(traceback.format_exc()[-2_000:])
        else:
            theirs.send("done")


def batch(given: list[str], kind: str) -> pa.Table:
    """Texts as texts, or as the bytes of pages."""
    table = cases.of_texts(["" if kind == "documents" else text for text in given])
    if kind == "documents":
        pages = [b"<html><body>" + text.encode() for text in given]
        table = table.append_column("content", pa.array(pages, pa.binary()))
    return table


def passed(case: Case, out: pa.Table, rows: int) -> None:
    assert len(set(out[ORIGIN].to_pylist())) == rows
    assert all(r.startswith(cases.begins(case.name)) for r in out["drop"].drop_null().to_pylist())
    assert out.filter(kept(out))["text"].null_count == 0


def test_the_limit_ends_a_step_that_does_not_end(folder: Path) -> None:
    """Else the tests above could not fail."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=forever, args=(theirs,))
    child.start()
    theirs.close()
    assert list(heard(ours)) == ["begun"]
    child.join()
    assert child.exitcode is not None
    assert child.exitcode < 0
    child.close()


def forever(theirs: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    theirs.send("begun")
    while True:
        pass

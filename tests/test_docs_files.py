"""The page "From a file to a model": its rows and settings teach, with more rows of the same kind."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base.nouns import Model
from openflywheel.base.nouns import Row as Kept
from openflywheel.wheel.flywheel import Flywheel

PAGE = Path(__file__).parent.parent / "docs/customize-files.md"
PAIRS = re.findall(
    r"^```jsonl\n(.*?)^```$.*?^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
)
EXAMPLES = {settings.split()[1]: (lines, settings) for lines, settings in PAIRS}

Row = dict[str, Any]


def shown(kind: str) -> list[Row]:
    """The rows on the page."""
    return [json.loads(line) for line in EXAMPLES[kind][0].splitlines()]


def numbers() -> Iterator[Row]:
    yield from ({"text": f"{n} rooms, {20 * n} m2", "label": 300 * n} for n in range(1, 25))


def choices() -> Iterator[Row]:
    for item in range(8):
        yield {"item": f"i{item}", "text": f"article number {item}"}
    for n in range(24):
        yield {"text": f"number {n % 8}, please, for {n}", "label": f"i{n % 8}", "person": f"p{n}"}


def sales() -> Iterator[Row]:
    for n in range(24):
        price, sold = (10, 8) if n % 2 else (5, 32)
        yield {"text": "mug", "item": "mug", "price": price, "label": sold, "week": f"2026-{n}"}


MORE = {"label": lambda: iter(()), "number": numbers, "rank": choices, "price": sales}


def turned(folder: Path, kind: str) -> tuple[Flywheel, list[dict[str, int]]]:
    """A flywheel of the page's settings after its first turn, and what each room dropped."""
    rows = [*shown(kind), *MORE[kind]()]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = folder / "flywheel.yaml"
    file.write_text(EXAMPLES[kind][1].replace("store: wheel", "store: wheel\nencoder: ngrams"))
    wheel = Flywheel.open(file)
    steps = wheel.turn()
    assert [step.error for step in steps if step.error] == []
    return wheel, [step.dropped for step in steps if step.dropped]


def said(folder: Path, kind: str, task: str, text: str) -> tuple[str, tuple[str, ...]]:
    """What the first model answers."""
    wheel, dropped = turned(folder, kind)
    with wheel:
        assert len(wheel.store.all(Model)) == 1
        assert dropped == []
        exchange = wheel.ask(task, text)
        return exchange.output, exchange.choices


def test_there_is_an_example_for_each_kind_with_three_rows():
    assert list(EXAMPLES) == ["label", "number", "rank", "text", "price"]
    assert {len(shown(kind)) for kind in EXAMPLES} == {3}


@pytest.mark.parametrize("kind", ["number", "rank", "price"])
def test_rows_that_are_added_have_the_columns_that_are_shown(kind):
    assert {frozenset(row) for row in MORE[kind]()} == {frozenset(row) for row in shown(kind)}


def test_labels_are_taught_by_the_rows_as_they_stand(tmp_path):
    output, _ = said(tmp_path, "label", "route", "where is the parcel?")
    assert output in ("delivery", "")  # three rows make nobody sure


def test_numbers_come_with_their_interval(tmp_path):
    output, (low, high) = said(tmp_path, "number", "rent", "8 rooms, 160 m2")
    assert float(low) <= float(output) <= float(high)


def test_items_are_ordered(tmp_path):
    output, choices = said(tmp_path, "rank", "find", "number 5, please")
    assert output.split("\n") == list(choices)
    assert choices[0] == "i5"


def test_a_price_that_sells_more_is_suggested(tmp_path):
    output, (low, high) = said(tmp_path, "price", "price", "mug")
    assert (output, float(low), float(high)) == ("5", 5, 5)


def test_a_chat_in_meta_is_kept_as_the_trainer_reads_it(tmp_path):
    """The page's example of texts, without its trainer, which needs a checkpoint."""
    (tmp_path / "seeds.jsonl").write_text(EXAMPLES["text"][0])
    settings = re.sub(r"customize:\n.*\n", "", EXAMPLES["text"][1])
    settings = settings.replace("store: wheel", "store: wheel\nencoder: ngrams").partition("serve:")[0]
    (tmp_path / "flywheel.yaml").write_text(settings)
    with Flywheel.open(tmp_path / "flywheel.yaml") as wheel:
        assert [step.error or step.dropped for step in wheel.turn() if step.error or step.dropped] == []
        chats = [row.meta["chat"] for row in wheel.store.newest(Kept, 9) if "chat" in row.meta]
    assert [len(json.loads(chat)) for chat in chats] == [3]

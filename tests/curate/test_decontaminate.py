from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import with_meta
from openflywheel.curate._holdouts import name_of, report
from openflywheel.curate.decontaminate import HOLDS, IS, SHARES, decontaminate

TRAINING = ("training",)
EIGHT = "how do I return the green shoes today"
LONG = "the quick brown fox jumps over the lazy dog while nine cats are watching it from above"


def batch(texts: Sequence[str], purposes: tuple[str, ...] = TRAINING, at: float = 1.0) -> pa.Table:
    records = [Record(text=t, source="test", purposes=purposes, at=at) for t in texts]
    table = pa.Table.from_batches([to_batch(records, Record)])
    return table.append_column("drop", pa.nulls(len(texts), pa.string()))


def drops(texts: Sequence[str], holdout: Sequence[str], **settings: int) -> list[str | None]:
    found: list[str | None] = decontaminate(batch(texts), holdouts=lambda: holdout, **settings)[
        "drop"
    ].to_pylist()
    return found


def part(text: str, first: int, last: int) -> str:
    return " ".join(text.split()[first:last])


def test_thirteen_words_in_common_are_enough_and_twelve_are_not() -> None:
    assert drops([f"He said: {part(LONG, 2, 15)}!", f"He said: {part(LONG, 2, 14)}!"], [LONG]) == [
        SHARES,
        None,
    ]


def test_case_and_punctuation_hide_nothing_in_any_script() -> None:
    greek = "Ένας γρήγορος καφέ αλεπού πηδά πάνω από το τεμπέλικο σκυλί και τρέχει μακριά σήμερα"
    han = "敏捷的棕色狐狸跳过了懒惰的狗然后跑得很远"
    texts = [LONG.upper().replace(" ", ", "), greek.upper(), f"据说{han}。", "敏捷的狐狸"]
    assert drops(texts, [LONG, greek, han]) == [SHARES, SHARES, SHARES, None]


def test_a_shorter_text_must_stand_there_as_a_whole() -> None:
    texts = [f"Tell me: {EIGHT}? Thanks.", part(EIGHT, 0, 7), f"{part(EIGHT, 0, 4)} or {part(EIGHT, 4, 8)}"]
    assert drops(texts, [EIGHT]) == [HOLDS, None, None]


def test_a_text_of_a_few_words_must_be_the_row() -> None:
    assert drops(["Where is my order?", "So where is my order", "where is my"], ["where is my order"]) == [
        IS, None, None,
    ]  # fmt: skip


def test_the_settings_move_the_bounds() -> None:
    texts = [part(LONG, 0, 5), f"so {EIGHT}", f"so {EIGHT} then"]
    assert drops(texts, [LONG, EIGHT], words=5, least=3) == [SHARES, SHARES, SHARES]
    assert drops(texts, [LONG, EIGHT], least=9) == [None, None, None]
    assert drops([f"so {part(LONG, 0, 5)}"], [LONG], words=5, least=9) == [SHARES]


@pytest.mark.parametrize("purposes", [(), ("evaluation",)])
def test_what_never_teaches_is_left_alone(purposes: tuple[str, ...]) -> None:
    table = decontaminate(batch([LONG], purposes), holdouts=lambda: [LONG])
    assert table["drop"].to_pylist() == [None]


def test_rows_of_a_holdout_are_left_alone_and_others_are_not() -> None:
    roles = pa.array(["holdout", None, "train", "validation"])
    table = batch([LONG] * 4, ("training", "evaluation")).append_column("role", roles)
    assert decontaminate(table, holdouts=lambda: [LONG])["drop"].to_pylist() == [None, SHARES, SHARES, SHARES]


def test_dropped_rows_keep_their_reason_and_are_not_reported() -> None:
    table = batch([LONG, LONG]).set_column(
        batch([]).schema.get_field_index("drop"), "drop", pa.array(["too long", None])
    )
    done = decontaminate(table, holdouts=lambda: [LONG])
    assert done["drop"].to_pylist() == ["too long", SHARES]
    assert report([done]) == {name_of(LONG): 1}


def test_the_report_counts_rows_by_holdout_text_over_batches() -> None:
    both = [LONG, EIGHT]
    tables = [
        decontaminate(batch(texts), holdouts=lambda: both)
        for texts in ([f"a {EIGHT}", LONG, "fine"], [EIGHT, "fine"], ["fine"])
    ]
    assert report([*tables, batch(["x"])]) == {name_of(EIGHT): 2, name_of(LONG): 1}


def test_a_row_is_reported_once_for_the_longest_run() -> None:
    done = decontaminate(batch([f"{EIGHT} {LONG}"]), holdouts=lambda: [EIGHT, LONG])
    assert done["drop"].to_pylist() == [SHARES]
    assert report([done]) == {name_of(LONG): 1}


def test_facts_of_others_stay() -> None:
    table = with_meta(batch([LONG, "fine"]), "decontaminate", pa.chunked_array([[None, "before"]]))
    done = decontaminate(table, holdouts=lambda: [LONG])
    assert done["meta.decontaminate"].to_pylist() == [name_of(LONG), "before"]


def test_a_holdout_that_grows_is_read_anew() -> None:
    holdout = [EIGHT]
    table = batch([LONG])
    assert decontaminate(table, holdouts=lambda: holdout)["drop"].to_pylist() == [None]
    holdout.append(LONG)
    assert decontaminate(table, holdouts=lambda: holdout)["drop"].to_pylist() == [SHARES]


@pytest.mark.parametrize("holdout", [[], ["", "...", "😀"]])
def test_a_holdout_without_words_takes_nothing(holdout: list[str]) -> None:
    assert drops(["", "...", "😀", LONG], holdout) == [None] * 4


def test_a_batch_without_rows() -> None:
    assert decontaminate(batch([]), holdouts=lambda: [LONG]).num_rows == 0


word = st.sampled_from(["a", "b", "c"])
texts = st.lists(word, max_size=9).map(" ".join)


def plain(text: str, holdout: Sequence[str], words: int, least: int) -> bool:
    """The rule, word by word."""
    said = text.split()
    for other in (h.split() for h in holdout if h):
        size = min(len(other), words)
        runs = [other[i : i + size] for i in range(len(other) - size + 1)]
        starts = range(len(said) - size + 1) if size >= least else range(len(said) == size)
        if any(said[i : i + size] in runs for i in starts):
            return True
    return False


@settings(deadline=None)
@given(st.lists(texts, max_size=6), st.lists(texts, max_size=3), st.integers(1, 5), st.integers(1, 5))
def test_it_finds_what_reading_word_by_word_finds(
    rows: list[str], holdout: list[str], words: int, least: int
) -> None:
    least = min(least, words)
    found = drops(rows, holdout, words=words, least=least)
    assert [f is not None for f in found] == [plain(row, holdout, words, least) for row in rows]


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=6), st.lists(texts, max_size=3))
def test_a_row_is_judged_by_itself(rows: list[str], holdout: list[str]) -> None:
    alone = [drops([row], holdout, words=3, least=2)[0] for row in rows]
    assert drops(rows, holdout[::-1], words=3, least=2) == alone


def test_the_door_hands_the_holdouts_in() -> None:
    about = door.describe("curate", "decontaminate")
    assert about.handed == ("holdouts",)
    assert {s.name: s.default for s in about.settings} == {"words": 13, "least": 8}

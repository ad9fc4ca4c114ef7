# ruff: noqa: RUF001  damaged characters look like others
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record

ftfy = pytest.importorskip("ftfy")

from openflywheel.curate.mojibake import SIGNS, mojibake  # noqa: E402

WRITTEN = [
    "It’s a “test” — naïve café, 5€.",
    "Die Größe der Straße ändert sich, für Übermorgen.",
    "L’été où l’élève reçoit ses résultats, ça va être géant.",
    "Привет, как дела? Это проверка кодировки текста.",
    "Η γρήγορη αλεπού πηδά πάνω από το σκυλί.",
    "日本語の文章です。漢字とひらがな。",
    "한국어 문장입니다.",
    "😀 party 🎉 time",
    "Zażółć gęślą jaźń",
    "Příliš žluťoučký kůň",
    "El niño comió jalapeños ¿verdad?",
    "مرحبا بالعالم",
    "İstanbul’da güzel bir gün",
]
ENCODINGS = ["latin-1", "cp1252", "sloppy-windows-1252", "cp1250", "cp1251", "mac_roman", "cp437", "cp850"]


def batch(some: list[str], drop: str | None = None) -> pa.Table:
    records = pa.Table.from_batches([to_batch([Record(text=text, source="test") for text in some], Record)])
    return records.append_column("drop", pa.array([drop] * len(some), pa.string()))


def mended(some: list[str]) -> list[str]:
    texts: list[str] = mojibake(batch(some))["text"].to_pylist()
    return texts


def damaged(encoding: str) -> list[str]:
    out = []
    for text in WRITTEN:
        try:
            out.append(text.encode().decode(encoding))
        except UnicodeDecodeError:
            continue  # this damage cannot happen
    return out


@pytest.mark.parametrize("encoding", ["latin-1", "sloppy-windows-1252"])
def test_damaged_texts_are_as_they_were_written(encoding: str) -> None:
    assert mended([text.encode().decode(encoding) for text in WRITTEN]) == WRITTEN


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_whatever_ftfy_mends_is_found(encoding: str) -> None:
    some = damaged(encoding)
    assert some
    assert mended(some) == [ftfy.fix_encoding(text) for text in some]


def test_twice_damaged_texts_are_mended() -> None:
    twice = "café’s".encode().decode("sloppy-windows-1252").encode().decode("sloppy-windows-1252")
    assert mended([twice]) == ["café’s"]


@pytest.mark.parametrize(
    "text", [*WRITTEN, "ÂNGELO e Ãngela", "prix : 5 € « net »", "├── src\n│   └── a.py", "√2 ≈ 1.41", ""]
)
def test_sound_texts_stay_and_are_mostly_not_looked_at(text: str) -> None:
    assert mended([text]) == [text]


def test_signs_are_rare_in_sound_texts() -> None:
    assert pc.sum(pc.match_substring_regex(pa.array(WRITTEN), SIGNS)).as_py() == 0


def test_nothing_but_the_encoding_changes() -> None:
    assert mended(["&amp; “curly” ﬁ â€™"]) == ["&amp; “curly” ﬁ ’"]


def test_texts_that_lost_many_characters_are_dropped() -> None:
    table = mojibake(batch(["caf\ufffd \ufffd\ufffd", "x" * 99 + "\ufffd", "x" * 98 + "\ufffd\ufffd"]))
    assert table["drop"].to_pylist() == ["mojibake: characters lost", None, "mojibake: characters lost"]
    assert mojibake(batch(["caf\ufffd"]), lost=0.5)["drop"].to_pylist() == [None]


def test_dropped_rows_keep_their_text() -> None:
    table = batch(["itâ€™s"], drop="before")
    assert mojibake(table) == table


def test_no_rows_are_no_problem() -> None:
    assert mojibake(batch([])).num_rows == 0

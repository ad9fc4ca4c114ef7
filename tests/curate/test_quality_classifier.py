import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Record
from openflywheel.curate import quality_classifier as module
from openflywheel.curate.quality_classifier import Example, parsed, quality_classifier, teach

ENCODER = NgramEncoder()
GOOD = "the river of the old town has a bridge that people walk over in the evening light".split()  # noqa: SIM905
POOR = "click buy now cheap discount subscribe login cookie menu share tweet banner offer sale".split()  # noqa: SIM905


def texts(words: list[str], n: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(words, k=12)) for _ in range(n)]


def examples(good: int = 40, poor: int = 40) -> list[Example]:
    return [Example(t, True) for t in texts(GOOD, good)] + [Example(t, False) for t in texts(POOR, poor)]


def write(folder: Path, some: list[Example]) -> None:
    lines = [json.dumps({"text": example.text, "keep": example.keep}) for example in some]
    (folder / "judged.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def batch(some: list[str], drop: str | None = None) -> pa.Table:
    records = pa.Table.from_batches([to_batch([Record(text=text, source="test") for text in some], Record)])
    return records.append_column("drop", pa.array([drop] * len(some), pa.string()))


def judged(folder: Path, table: pa.Table, keep: float = 0.95) -> pa.Table:
    return quality_classifier(table, examples="judged.jsonl", keep=keep, encoder=ENCODER, folder=folder)


def test_what_looks_like_the_poor_examples_is_dropped(tmp_path: Path) -> None:
    write(tmp_path, examples())
    table = judged(tmp_path, batch([*texts(GOOD, 20, 1), *texts(POOR, 20, 1)]))
    reasons = table["drop"].to_pylist()
    assert reasons[:20].count(None) >= 17
    assert set(reasons[20:]) == {"quality_classifier: judged low"}
    chances = [float(chance) for chance in table["meta.quality"].to_pylist()]
    assert min(chances[:20]) > max(chances[20:])
    assert all(len(chance) == 4 for chance in table["meta.quality"].to_pylist())


def test_keep_sets_the_share_of_good_examples_that_pass() -> None:
    vague = [Example(text, i % 4 > 0) for i, text in enumerate(texts([*GOOD, *POOR], 200))]
    strict, mild = teach(vague, 0.5, ENCODER), teach(vague, 0.95, ENCODER)
    assert strict.least > mild.least
    assert np.array_equal(strict.head.weights, mild.head.weights)


def test_leaving_one_out_is_what_teaching_without_it_gives() -> None:
    some = examples(12, 12)
    vectors, right = ENCODER.encode([e.text for e in some]), np.array([e.keep for e in some], np.intp)
    _, left_out = module._fit(vectors, right, 1.0)
    for row in (0, 5, 20):
        others = np.arange(len(some)) != row
        weights, _ = module._fit(vectors[others], right[others], 1.0)
        assert left_out[row] == pytest.approx(float(np.append(vectors[row], 1.0) @ weights), abs=1e-6)


def test_teaching_twice_gives_the_same_judge() -> None:
    one, two = teach(examples(), 0.95, ENCODER), teach(examples(), 0.95, ENCODER)
    assert np.array_equal(one.head.weights, two.head.weights)
    assert (one.least, one.head.sharpness) == (two.least, two.head.sharpness)


def test_it_is_taught_once_a_process_and_again_when_the_file_changes(tmp_path: Path) -> None:
    module._TAUGHT.clear()
    write(tmp_path, examples())
    for _ in range(2):
        judged(tmp_path, batch(["a"]))
        assert len(module._TAUGHT) == 1
    write(tmp_path, examples(50))
    judged(tmp_path, batch(["a"]))
    assert len(module._TAUGHT) == 2


@pytest.mark.parametrize(("good", "poor"), [(19, 40), (40, 19), (0, 0)])
def test_too_few_examples_are_refused_with_their_numbers(tmp_path: Path, good: int, poor: int) -> None:
    write(tmp_path, examples(good, poor))
    with pytest.raises(SettingsError, match=f"{good} to keep and {poor} to drop; it needs 20 of each"):
        judged(tmp_path, batch(["a"]))


def test_a_missing_file_and_a_broken_line_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no"):
        judged(tmp_path, batch(["a"]))
    with pytest.raises(SettingsError, match="line 2"):
        parsed(b'{"text": "a", "keep": true}\n{"text": "b", "keep": "yes"}\n')


def test_blank_lines_are_no_examples() -> None:
    lines = [json.dumps({"text": "a", "keep": i % 2 == 0}) for i in range(40)]
    assert len(parsed("\n\n".join(lines).encode())) == 40


def test_dropped_rows_are_not_judged_and_no_rows_are_no_problem(tmp_path: Path) -> None:
    write(tmp_path, examples())
    table = judged(tmp_path, batch(texts(POOR, 2), drop="before"))
    assert (table["drop"].to_pylist(), table["meta.quality"].to_pylist()) == (["before"] * 2, [None] * 2)
    assert judged(tmp_path, batch([])).num_rows == 0

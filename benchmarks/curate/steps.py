"""What each step costs on documents, and what three of them find.

Documents: a seeded sample of corpus.py, HTML without markup, filings included; all steps but mojibake and
normalise get them as `normalise` and `language` leave them. CPU-seconds of this process, in rounds in which
every work has its turn; shown are the median of the rounds, the lowest and the highest. Beside three steps
stands what they spare: ftfy on every text, py3langid, and the guards (pii, secrets) on every text from end to
end; ratios are taken within a round. Steps over all rows are measured by their sketch.

language is held against py3langid on the same texts, and redact against the guards on the same texts.
toxicity is run on the answers of hh_rlhf's pairs (harmless-base, test part; Bai et al. 2022,
arXiv:2204.05862), of which people rejected one; of pairs in which one answer has a greater share of flagged
words, how often that is the rejected one.
"""

import gzip
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ftfy
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from benchmarks.curate.corpus import real
from benchmarks.curate.labels import banking77
from benchmarks.curate.quality import plain
from benchmarks.report import Row, at_least, say
from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._langid import identified
from openflywheel.curate._tokens import tokens
from openflywheel.curate.chunk import chunk
from openflywheel.curate.decontaminate import decontaminate
from openflywheel.curate.dedupe import dedupe
from openflywheel.curate.enrich import enrich
from openflywheel.curate.language import language
from openflywheel.curate.mojibake import mojibake
from openflywheel.curate.near_duplicates import near_duplicates
from openflywheel.curate.normalise import normalise
from openflywheel.curate.quality import quality
from openflywheel.curate.redact import redact
from openflywheel.curate.toxicity import toxicity
from openflywheel.guard import Detect
from openflywheel.store.vault import Vault

SIZE = 720  # documents: 8 MB
GUARDS = ("pii", "secrets")
SPARED = {"mojibake": "ftfy", "language": "py3langid", "redact": "the guards on every text"}
TURN = "\n\nAssistant:"

Works = Mapping[str, Callable[[], object]]


def measure(data: Path, manuals: Path, folder: Path, rounds: int = 3, size: int = SIZE) -> list[Row]:
    """All rows. `data` is the folder of public data, `manuals` that of the unpacked Debian packages."""
    documents = real(data, manuals, size)
    table = records([plain(documents[name]) for name in sorted(documents)])
    holdout = [text for text, _ in banking77(data)]
    return [
        *costs(table, holdout, folder, rounds),
        *languages(table["text"]),
        redacted(table, folder),
        *flagged(table, data / "hh_rlhf/harmless-base-test.jsonl.gz"),
    ]


def records(texts: Sequence[str]) -> pa.Table:
    """Documents as a step takes them."""
    rows = [Record(text=text, source="files", purposes=("training",)) for text in texts]
    table = pa.Table.from_batches([to_batch(rows, Record)])
    return table.append_column("drop", pa.nulls(len(texts), pa.string()))


def works(raw: pa.Table, holdout: Sequence[str], folder: Path) -> Works:
    """What is measured, by name, on the same documents."""
    table = language(normalise(raw))
    texts, old = raw["text"].to_pylist(), their_model()
    hinted, every = detect(), detect()
    every.hints = None
    vault = Vault(folder / "vault.db", b"benchmark")
    return {
        "mojibake": lambda: mojibake(raw),
        "ftfy": lambda: [ftfy.fix_encoding(text) for text in texts],
        "normalise": lambda: normalise(raw),
        "language": lambda: language(table),
        "py3langid": lambda: [old.classify(text) for text in texts],
        "words": lambda: tokens(table["text"]),
        "quality": lambda: quality(table),
        "toxicity": lambda: toxicity(table),
        "redact": lambda: redact(table, detect=hinted, vault=vault),
        "the guards on every text": lambda: redact(table, detect=every, vault=vault),
        "decontaminate": lambda: decontaminate(table, holdouts=lambda: holdout),
        "enrich": lambda: enrich(table, folder=folder),
        "chunk": lambda: chunk(table, folder=folder),
        "dedupe, sketch": lambda: dedupe().sketch(table),
        "near_duplicates, sketch": lambda: near_duplicates().sketch(table),
    }


def detect() -> Detect:
    """The guards of a usual flywheel.yaml."""
    return Detect([door.load("guard", name) for name in GUARDS])


def their_model() -> LanguageIdentifier:
    """py3langid's own, with probabilities."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def costs(table: pa.Table, holdout: Sequence[str], folder: Path, rounds: int) -> list[Row]:
    """Rows of what every work takes."""
    for work in works(table.slice(0, 2), holdout, folder).values():
        work()  # tables, models and caches are there from now on
    spent = list[dict[str, float]]()
    measured = works(table, holdout, folder)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        spent.append({name: _cpu(work) for name, work in measured.items()})
    size = float(pc.sum(pc.binary_length(table["text"])).as_py()) / 1e6
    characters = float(pc.sum(pc.utf8_length(table["text"])).as_py()) / 1e6
    return [
        Row(row="documents", value=float(table.num_rows), unit=f"of together {size:.2f} MB"),
        *(_spread(f"CPU-s: {name}", [r[name] for r in spent], "s") for name in measured),
        *(_spread(f"MB per CPU-s: {name}", [size / r[name] for r in spent], "MB") for name in measured),
        _spread("characters per CPU-s: words", [characters / r["words"] for r in spent], "million"),
        *(
            _spread(f"{name}: times {other}", [r[other] / r[name] for r in spent], "x")
            for name, other in SPARED.items()
        ),
    ]


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _spread(row: str, values: Sequence[float], unit: str) -> Row:
    return Row(row=row, value=statistics.median(values), unit=unit, interval=(min(values), max(values)))


def languages(texts: pa.ChunkedArray) -> list[Row]:
    """The same language as py3langid on the whole text, and how far the probabilities are apart."""
    codes, chances = identified(texts)
    old = their_model()
    theirs = [old.classify(text) for text in texts.to_pylist()]
    same = np.mean([mine == other for mine, (other, _) in zip(codes, theirs, strict=True)])
    apart = max(abs(float(mine) - other) for mine, (_, other) in zip(chances, theirs, strict=True))
    return [
        at_least("language: agreement with py3langid", float(same), 0.999, f"of {len(codes)}"),
        Row(row="language: probabilities apart", value=apart, unit="at most"),
    ]


def redacted(table: pa.Table, folder: Path) -> Row:
    """Texts that come out as if the guards had read them from end to end."""
    vault, every = Vault(folder / "vault.db", b"benchmark"), detect()
    every.hints = None
    mine, theirs = (redact(table, detect=d, vault=vault)["text"] for d in (detect(), every))
    same = pc.mean(pc.equal(mine, theirs)).as_py()
    changed = pc.sum(pc.not_equal(theirs, table["text"])).as_py()
    return at_least("redact: texts as by the guards on every text", same, 1, f"({changed} changed)")


def flagged(table: pa.Table, pairs: Path) -> list[Row]:
    """Rows of toxicity: answers that it flags, pairs, and documents that it drops."""
    with gzip.open(pairs, "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    chosen, rejected = (shares([pair[side] for pair in read]) for side in ("chosen", "rejected"))
    differ = chosen != rejected
    worse = (rejected > chosen)[differ]
    dropped = pc.count(toxicity(table)["drop"]).as_py()
    return [
        _share("toxicity: rejected answers with a flagged word", rejected > 0),
        _share("toxicity: chosen answers with a flagged word", chosen > 0),
        _share("toxicity: pairs whose shares differ", differ),
        _share("toxicity: of these, the rejected one has more", worse),
        Row(row="toxicity: documents dropped", value=float(dropped), unit=f"of {table.num_rows}"),
    ]


def shares(dialogues: Sequence[str]) -> NDArray[np.float64]:
    """Of each dialogue's last answer, the share of words that are flagged."""
    table = toxicity(records([said.rpartition(TURN)[2].strip() for said in dialogues]))
    toxic, adult = (table[f"meta.{name}"].to_numpy().astype(np.float64) for name in ("toxicity", "adult"))
    total: NDArray[np.float64] = toxic + adult
    return total


def _share(row: str, hits: NDArray[np.bool_]) -> Row:
    return Row(row=row, value=float(hits.mean()) if len(hits) else None, unit=f"of {len(hits)}")

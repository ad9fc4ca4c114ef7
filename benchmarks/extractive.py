"""How well do quotes answer, and what does a question cost?  python -m benchmarks.extractive

A shop's help page (30 entries of our own, each asked in two other wordings, and 30 questions that it does
not answer): what is answered at each threshold, right and wrong. hetPQA and semiPQA (Shen et al. 2022), where
they are found in --from: is the best candidate of a question a right one? And what a question costs among
many passages.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from benchmarks.report import Row, at_least, at_most, finish, say
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Row as Curated
from openflywheel.serve._passages import Index, Passage, passages
from openflywheel.serve.extractive import Quote, extractive

HELP = Path(__file__).with_name("shop_faq.json")
THRESHOLDS = (0.4, 0.5, 0.6, 0.7)
PQA = {
    "hetPQA": "amazon_pqa/hetPQA/evidence_ranking/dev.csv",
    "semiPQA": "amazon_pqa/semiPQA/attribute_ranking/dev.csv",
}
QUESTIONS = 400  # of each of them
PASSAGES = 2_000
FOR_EVER = 1e9  # seconds: embed everything
DEFAULT = 0.5  # the threshold of serve/extractive.py


class Asked(Struct, frozen=True):
    """A question with its right answer (empty: there is none), and what was found."""

    right: str
    quotes: Sequence[Quote]


class Ranking(Struct, frozen=True):
    """A question and its candidates, of which some answer it."""

    question: str
    candidates: list[str]
    right: list[bool]


def help_page() -> tuple[list[Curated], list[tuple[str, str]]]:
    """The help page's rows, and questions with their right answers."""
    said = json.loads(HELP.read_text(encoding="utf-8"))
    rows = [
        Curated(text=question, source="benchmark", labels={"answer": answer}, labelled_by="seed")
        for question, answer, _ in said["answered"]
    ]
    asked = [(q, answer) for _, answer, wordings in said["answered"] for q in wordings]
    return rows, [*asked, *((question, "") for question in said["unanswered"])]


def ask(encoder: Encoder) -> list[Asked]:
    """Everything that is asked about the help page."""
    rows, questions = help_page()
    index = Index(passages(rows, "answer"), encoder)
    index.grow(FOR_EVER)
    found = index.search([question for question, _ in questions], 0.0)
    return [Asked(right, quotes) for (_, right), quotes in zip(questions, found, strict=True)]


def at(threshold: float, asked: Sequence[Asked]) -> Iterator[Row]:
    """What is answered from a threshold on: of the answerable questions, rightly; of all answers, wrongly."""
    said = [(quote.text, a.right) for a in asked if (quote := extractive(a.quotes, least=threshold))]
    right, answerable = sum(text == truth for text, truth in said), sum(bool(a.right) for a in asked)
    wrong = len(said) - right
    where = f"help page, least {threshold:g}"
    share = wrong / max(len(said), 1)
    yield Row(
        row=f"{where}: answerable questions answered rightly",
        value=right / answerable,
        unit="share",
        interval=wilson(right, answerable),
    )
    what, interval = f"{where}: wrong among {len(said)} answers", wilson(wrong, max(len(said), 1))
    if threshold == DEFAULT:
        yield at_most(what, share, 0.1, "share", interval)
    else:
        yield Row(row=what, value=share, unit="share", interval=interval)


def rankings(path: Path) -> list[Ranking]:
    """The questions of a ranking set that have a right candidate and a wrong one."""
    found: dict[str, Ranking] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            one = found.setdefault(row["qid"], Ranking(row["question"], [], []))
            one.candidates.append(row["candidate"])
            one.right.append(float(row["label"]) > 0)
    return [r for r in found.values() if any(r.right) and not all(r.right)][:QUESTIONS]


def first(name: str, asked: Sequence[Ranking], encoder: Encoder, bar: float) -> Row:
    """In how many questions the best passage is a right candidate."""
    hits = sum(ranking.right[_best(ranking, encoder)] for ranking in asked)
    row = f"{name}: best of {np.mean([len(r.right) for r in asked]):.0f} candidates right"
    return at_least(row, hits / len(asked), bar, "share", wilson(hits, len(asked)))


def _best(ranking: Ranking, encoder: Encoder) -> int:
    """Place of the candidate with the highest score."""
    places = [Passage(text=text, answer=text, row=str(i)) for i, text in enumerate(ranking.candidates)]
    index = Index(places, encoder)
    index.grow(FOR_EVER)
    quotes = index.search([ranking.question], 0.0)[0]
    return int(quotes[0].row) if quotes else 0


def cost(encoder: Encoder, texts: Sequence[str], questions: Sequence[str]) -> Iterator[Row]:
    """CPU time of a question among so many passages, embedding it included."""
    index = Index([Passage(text=t, answer=t, row=str(i)) for i, t in enumerate(texts)], encoder)
    index.grow(FOR_EVER)
    with one_thread():  # as in the wheel
        spent = _each(lambda question: index.search([question], 0.0), questions)
        alone = _each(lambda question: encoder.encode([question]), questions)
    yield at_most(f"a question among {len(texts):,} passages", spent, 6, "CPU-ms")
    yield Row(row="of that, its embedding", value=alone, unit="CPU-ms")


def _each(work: Callable[[str], object], questions: Sequence[str]) -> float:
    """CPU milliseconds a question."""
    start = time.process_time()
    for question in questions:
        work(question)
    return 1000 * (time.process_time() - start) / len(questions)


def main() -> None:
    """The help page, the public sets where they are, and the cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", default=None, help="'ngrams' for the encoder without weights")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    encoder = open_encoder(args.encoder)
    say("the help page")
    asked = ask(encoder)
    rows = [row for threshold in THRESHOLDS for row in at(threshold, asked)]
    rows += _public(args.source, encoder)
    finish("extractive", rows, 1, as_json=args.json, encoder=encoder.name)


def _public(source: Path, encoder: Encoder) -> Iterator[Row]:
    texts: list[str] = []
    for (name, file), bar in zip(PQA.items(), (0.65, 0.75), strict=True):
        if not (source / file).is_file():
            yield Row(row=f"{name}: skipped, no {source / file}", value=None, unit="")
            continue
        say(name)
        found = rankings(source / file)
        yield first(name, found, encoder, bar)
        texts += dict.fromkeys(text for ranking in found for text in ranking.candidates)
    _, questions = help_page()
    filled = (texts * (PASSAGES // max(len(texts), 1) + 1))[:PASSAGES] if texts else _made()
    yield from cost(encoder, filled, [question for question, _ in questions])


def _made() -> list[str]:
    """Passages where the public sets are absent."""
    rows, _ = help_page()
    return [f"{row.text} ({i})" for i in range(PASSAGES // len(rows) + 1) for row in rows][:PASSAGES]


if __name__ == "__main__":
    main()

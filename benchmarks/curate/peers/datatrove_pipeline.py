"""datatrove.  python -m benchmarks.curate.peers.datatrove_pipeline HTML TEXT FOLDER WORKERS

Its own steps with its own defaults, in the order of its FineWeb example: extraction by Trafilatura, language,
Gopher repetition, Gopher quality, C4, FineWeb, near-duplicates by MinHash (16 bands of 8 = 128 permutations),
PII. Two things differ. Its language model is a download of 126 MB, which not every machine may make:
py3langid judges here, as on our side. And a page may take 60 seconds to be extracted, not 1: on a busy
machine its own limit would lose pages, and what they cost. Prints a JSON object: how many documents are left,
and the CPU-seconds that telling languages took.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.logging import logger
from py3langid.langid import MODEL_FILE, LanguageIdentifier

MINHASH = MinhashConfig(num_buckets=16, hashes_per_bucket=8)
LEAST = 0.65  # of its LanguageFilter
SECONDS = 60


class Language(BaseFilter):
    """Its LanguageFilter, with py3langid as the model."""

    name = "Language"

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language
        self._model: LanguageIdentifier | None = None  # opened in the worker

    def filter(self, doc: Any) -> bool:
        """Keep what is in the language with enough certainty."""
        self._model = self._model or LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        started = time.process_time()
        language, certainty = self._model.classify(doc.text)
        self.stat_update("cpu", value=time.process_time() - started)
        return bool(language == self.language and certainty > LEAST)


def extracted(pages: Sequence[str]) -> list[str]:
    """The main text of pages, by its extractor."""
    extractor = Trafilatura(timeout=SECONDS)
    return [extractor.extract(page) or "" for page in pages]


def run(html: Path, text: Path, folder: Path, workers: int) -> dict[str, float]:
    """All four stages; returns how many documents are left, and CPU-seconds of telling languages."""
    logger.remove()
    kept, signatures, buckets, removed, out = (
        str(folder / name) for name in ("kept", "signatures", "buckets", "removed", "out")
    )
    quality = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(), FineWebQualityFilter()]
    stages: list[tuple[list[Any], int]] = [
        ([
            JsonlReader(str(html)), Trafilatura(timeout=SECONDS), JsonlReader(str(text)), Language("en"),
            *quality, JsonlWriter(kept), MinhashDedupSignature(signatures, MINHASH),
        ], workers),
        ([MinhashDedupBuckets(signatures, buckets, config=MINHASH)], MINHASH.num_buckets),
        ([MinhashDedupCluster(buckets, removed, config=MINHASH)], 1),
        ([JsonlReader(kept), MinhashDedupFilter(removed), PIIFormatter(), JsonlWriter(out)], workers),
    ]  # fmt: skip
    done = []
    for number, (steps, tasks) in enumerate(stages):
        logs = str(folder / f"logs-{number}")
        executor = LocalPipelineExecutor(steps, tasks=tasks, workers=min(tasks, workers), logging_dir=logs)
        done.append(executor.run())
    language = next(step for step in done[0].stats if step.name.endswith(Language.name))
    return {"kept": done[-1].stats[-1].stats["total"].total, "language": language.stats["cpu"].total}


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))))

"""What our near-duplicates are compared with: datasketch's MinHash and LSH, and datatrove's first stage."""

import tempfile
from collections.abc import Sequence

from datasketch import MinHash, MinHashLSH
from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashDedupSignature

PERMUTATIONS = 128


def datasketch(
    sets: Sequence[Sequence[int] | Sequence[bytes]], bands: int, rows: int
) -> set[tuple[int, int]]:
    """Candidates among sets of shingles, by its bulk interface. Numbers are taken as hashes, bytes hashed."""
    hashed = {} if sets and sets[0] and isinstance(sets[0][0], bytes) else {"hashfunc": int}
    sketches = MinHash.bulk(sets, num_perm=PERMUTATIONS, **hashed)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(bands, rows))
    with index.insertion_session() as session:
        for number, sketch in enumerate(sketches):
            session.insert(number, sketch)
    found = ((number, other) for number, sketch in enumerate(sketches) for other in index.query(sketch))
    return {(a, b) for a, b in found if a < b}


def datatrove(texts: Sequence[str]) -> None:
    """Its signatures by its default settings (5 of spaCy's English words, 14 bands of 8), into files."""
    with tempfile.TemporaryDirectory() as folder:
        documents = (Document(text=text, id=str(number)) for number, text in enumerate(texts))
        MinhashDedupSignature(output_folder=folder).run(documents)

"""Real documents for both sides: a folder of files for ours, JSON Lines for datatrove.

The pages with a gold text (readability_pages), two manuals in Markdown (etcd in several versions, which are
natural near-duplicates, and Prometheus), filings of companies, and for volume a seeded sample of three HTML
manuals from Debian packages.
"""

import json
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

MANUALS = ("postgresql-doc-15/html", "python3.11/html", "sqlite3")  # below the folder of the manuals
HOW = """{} holds no documents. --data is the folder of public data beside the checkout, and the manuals are
  apt-get download postgresql-doc-15 python3.11-doc sqlite3-doc
  for package in *.deb; do dpkg -x $package docs; done
  python -m benchmarks.curate --manuals docs/usr/share/doc"""
HTML, TEXT = (".html", ".htm", ".xhtml"), (".md", ".txt")


class Corpus(Struct, frozen=True):
    """Prepared documents: `files` holds each as a file, `html` and `text` as JSON Lines of id and text."""

    files: Path
    html: Path
    text: Path
    documents: int


def real(data: Path, manuals: Path, size: int, seed: int = 0) -> dict[str, Path]:
    """name -> file of about `size` documents; the manuals fill up what the other sources leave."""
    found = {f"readability/{p.parent.name}.html": p for p in data.glob("readability_pages/*/source.html")}
    for source in ("docs_etcd", "docs_prometheus", "sec_filings"):
        found |= _named(source, data / source)
    pages = [page for manual in MANUALS for page in _named(manual, manuals / manual).items()]
    if not found or not pages:
        sys.exit(HOW.format(manuals if found else data))
    chance = random.Random(seed)
    return found | dict(chance.sample(sorted(pages), min(len(pages), max(0, size - len(found)))))


def of(folder: Path) -> dict[str, Path]:
    """name -> file of a folder of the user's own."""
    return _named("input", folder) or sys.exit(HOW.format(folder))


def prepared(documents: dict[str, Path], to: Path, parts: int) -> Corpus:
    """Write the documents for both sides, shuffled; `parts` JSON Lines files a kind, one for each worker."""
    corpus = Corpus(to / "files", to / "html", to / "text", len(documents))
    for folder in (corpus.files, corpus.html, corpus.text):
        folder.mkdir(parents=True)
    names = sorted(documents)
    random.Random(1).shuffle(names)
    for kind, endings, into in (("html", HTML, corpus.html), ("text", TEXT, corpus.text)):
        rows = [name for name in names if documents[name].suffix.lower() in endings]
        for part in range(parts):
            with (into / f"{kind}-{part}.jsonl").open("w", encoding="utf-8") as lines:
                for name in rows[part::parts]:
                    text = documents[name].read_bytes().decode(errors="replace")
                    lines.write(json.dumps({"id": flat(name), "text": text}) + "\n")
    for name in names:
        shutil.copyfile(documents[name], corpus.files / flat(name))
    return corpus


def tables(documents: dict[str, Path], to: Path, parts: int) -> Path:
    """Write the documents, shuffled, into `parts` Parquet files, so that there are as many shards."""
    to.mkdir(parents=True)
    names = sorted(documents)
    random.Random(1).shuffle(names)
    for part in range(parts):
        files = [documents[name] for name in names[part::parts]]
        pages = [file.suffix.lower() in HTML for file in files]
        read = [file.read_bytes() for file in files]
        rows = {
            "uri": pa.array([flat(name) for name in names[part::parts]]),
            "content": pa.array(
                [b if page else None for b, page in zip(read, pages, strict=True)], pa.binary()
            ),
            "text": pa.array(
                ["" if page else b.decode(errors="replace") for b, page in zip(read, pages, strict=True)]
            ),
        }
        pq.write_table(pa.table(rows), to / f"part-{part:03}.parquet")
    return to


def flat(name: str) -> str:
    """A document's name as the name of a file."""
    return name.replace("/", "__")


def _named(source: str, folder: Path) -> dict[str, Path]:
    files: Sequence[Path] = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in HTML + TEXT and p.is_file()
    )
    return {f"{source}/{p.relative_to(folder)}": p for p in files if p.name not in ("SOURCE.md", "LICENSE")}

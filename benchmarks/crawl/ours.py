"""Our crawl in a process of its own.  python -m benchmarks.crawl.ours URL FOLDER PAGES [keep]

It stands for a wheel: FOLDER/kept holds the URLs of the Records that were given, and how many they are is
the state. With `keep` the bytes of every page are kept as well, each in a file that is synced. Prints how
many pages it was given.
"""

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Exchange, Gap, Record
from openflywheel.base.settings import Budget, WebSettings
from openflywheel.collect._frontier.engine import quiet
from openflywheel.collect._web.web import Web
from openflywheel.collect.crawl import crawl
from openflywheel.store.objects import Objects


class Nowhere:
    """Names bytes, and keeps none: no peer keeps them either."""

    def put(self, content: bytes) -> str:
        """The digest of the bytes."""
        return sha256(content).hexdigest()


def nothing(ids: Sequence[str]) -> dict[str, Exchange]:
    """No exchange is known."""
    del ids
    return {}


def main(url: str, folder: Path, pages: int, *, keep: bool) -> None:
    """Crawl, and keep what comes."""
    web = Web(WebSettings(allow=("127.0.0.1",), contact="benchmark@example.com", delay=0))
    objects = Objects(folder / "objects") if keep else Nowhere()
    kept = folder / "kept"
    state = {"delivered": len(kept.read_text().splitlines()) if kept.exists() else 0}
    with kept.open("a") as store:
        found = crawl(
            Gap(topic="all", why="cold start"), start=url, pages=pages, depth=1_000, seconds="1h",
            megabytes=100_000, web=web, objects=objects, workspace=folder, folder=folder,
            state=state, encoder=open_encoder("ngrams"), known=list, exchanges=nothing, subject=str, tasks={},
            budget=Budget(), progress=quiet,
        )  # fmt: skip
        for thing in found:
            if isinstance(thing, Record):
                store.write(thing.uri + "\n")
                store.flush()
    web.close()
    print(len(kept.read_text().splitlines()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), keep="keep" in sys.argv)

"""A crawl in a process of its own, to be killed: python victim.py START FOLDER."""

import sys
from pathlib import Path

import msgspec

from openflywheel.base.nouns import Record
from openflywheel.base.settings import WebSettings
from openflywheel.collect._frontier.engine import crawl_site
from openflywheel.collect._frontier.plan import plan
from openflywheel.collect._web.web import Web


def main(start: str, folder: Path) -> None:
    web = Web(WebSettings(allow=("127.0.0.1",), contact="test@example.com", delay=0))
    kept = folder / "kept"  # the store: what was given, and the state, kept together after each page
    kept.touch()
    lines = kept.read_text().splitlines(keepends=True)
    state = {"delivered": sum(line.endswith("\n") for line in lines)}
    wanted = plan(start=start, web=web, pages=10_000)
    with kept.open("a") as store:
        for found in crawl_site(
            wanted, web=web, workspace=folder, state=state,
            make=lambda response, page: Record(text=page.text, source="test", uri=page.url),
        ):  # fmt: skip
            if isinstance(found, Record):
                store.write(found.uri + "\n")
                store.flush()
    (folder / "done").write_bytes(msgspec.json.encode(state))
    web.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

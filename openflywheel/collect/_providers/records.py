"""Results as Records: the page behind them, its content as the provider sent it, or the words of the hit."""

from collections.abc import Callable, Iterator, Sequence

from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._frontier.record import Objects, record_of
from openflywheel.collect._providers.product import Result
from openflywheel.collect._providers.reading import read_pages
from openflywheel.collect._web.web import Web


def of_pages(
    results: Sequence[Result], source: str, web: Web, objects: Objects, subject: Callable[[str], str]
) -> Iterator[Record | Drop]:
    """Records of the pages themselves, fetched by us under their sites' rules."""
    for found in read_pages([r.link for r in results], web):
        if isinstance(found, Drop):
            yield found
        else:
            yield record_of(*found, source=source, objects=objects, subject=subject)


def of_words(results: Sequence[Result], source: str) -> Iterator[Record | Drop]:
    """Records of what the provider sent: the content, or else title and description."""
    for result in results:
        text = result.content or "\n".join(filter(None, (result.title, result.description)))
        meta = {"title": result.title} if result.title else {}
        yield Record(text=text, source=source, uri=result.link, meta=meta) if text else Drop("no text")

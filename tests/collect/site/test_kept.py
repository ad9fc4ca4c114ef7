import asyncio

from openflywheel.collect._site import kept
from openflywheel.collect._site.kept import PerOrigin


def test_the_longest_unused_site_goes_first(monkeypatch) -> None:
    monkeypatch.setattr(kept, "MOST_SITES", 2)
    asked = list[str]()

    async def read(place: str) -> str:
        asked.append(place)
        return place

    async def use() -> None:
        sites = PerOrigin(read, lambda _: False)
        for url in ("http://a/x", "http://b/", "http://a/y", "http://c/", "http://a/z", "http://b/"):
            assert await sites.of(url) == url[:8]

    asyncio.run(use())
    assert asked == ["http://a", "http://b", "http://c", "http://b"]  # a was used, so b went for c

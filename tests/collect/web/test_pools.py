"""Kept connections: a pool for each origin, few of them, none closed while it is in use."""

import pytest

from openflywheel.base.instruments.wire import Pool
from openflywheel.collect._web.address import Target, read
from openflywheel.collect._web.pools import Pools


class Opened:
    """Opens real pools and notes which were opened; a closed one says so."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[str] = []

    def __call__(self, target: Target) -> Pool:
        self.opened.append(target.origin)
        noted = self.closed

        class Noted(Pool):
            def close(self) -> None:
                noted.append(target.origin)
                super().close()

        return Noted(target.origin, 1.0, 1.0)


@pytest.fixture
def opened() -> Opened:
    return Opened()


def use(pools: Pools, *urls: str) -> list[Pool]:
    used = []
    for url in urls:
        with pools.using(read(url)) as pool:
            used.append(pool)
    return used


def test_an_origin_has_one_pool(opened):
    pools = Pools(opened)
    first, again, other, port = use(
        pools, "http://a.com/1", "http://a.com/2", "https://a.com/1", "http://a.com:81/"
    )
    assert first is again
    assert len({id(pool) for pool in (first, other, port)}) == 3
    assert opened.opened == ["http://a.com", "https://a.com", "http://a.com:81"]


def test_those_used_longest_ago_are_closed(opened):
    pools = Pools(opened, most=2)
    use(pools, "http://a.com/", "http://b.com/", "http://a.com/", "http://c.com/")
    assert opened.closed == ["http://b.com"]
    use(pools, "http://d.com/")
    assert opened.closed == ["http://b.com", "http://a.com"]


def test_none_is_closed_while_it_is_in_use(opened):
    pools = Pools(opened, most=1)
    with pools.using(read("http://a.com/")), pools.using(read("http://a.com/")):
        use(pools, "http://b.com/", "http://c.com/")
        assert opened.closed == ["http://b.com", "http://c.com"]
    use(pools, "http://d.com/")
    assert opened.closed[2:] == ["http://a.com"]


def test_a_failure_in_the_block_ends_the_use(opened):
    pools = Pools(opened, most=1)
    with pytest.raises(KeyError), pools.using(read("http://a.com/")):
        raise KeyError
    use(pools, "http://b.com/")
    assert opened.closed == ["http://a.com"]


def test_closing_closes_all_and_a_closed_one_is_opened_anew(opened):
    pools = Pools(opened)
    use(pools, "http://a.com/", "http://b.com/")
    pools.close()
    assert sorted(opened.closed) == ["http://a.com", "http://b.com"]
    use(pools, "http://a.com/")
    assert len(opened.opened) == 3

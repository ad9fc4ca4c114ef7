from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from openflywheel.curate._extract.cache import Cache
from openflywheel.curate._extract.pages import Extracted

ONE = Extracted("the text", {"title": "t"}, 0.9)


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new" / "extracted.db")
    assert cache.get(["a", "b"]) == {}
    cache.put({"a": ONE, "c": Extracted(refused="encrypted")})
    assert cache.get(["a", "b", "c"]) == {"a": ONE, "c": Extracted(refused="encrypted")}
    assert Cache(tmp_path / "new" / "extracted.db").get(["a"]) == {"a": ONE}


def test_what_was_kept_first_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "extracted.db")
    cache.put({"a": ONE})
    cache.put({"a": Extracted("another")})
    assert cache.get(["a"]) == {"a": ONE}


def test_keys_are_only_keys(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "extracted.db")
    odd = ["'; DROP TABLE extracted; --", '"', "\u00e4", "\\", *map(str, range(3_000))]
    cache.put(dict.fromkeys(odd, ONE))
    assert cache.get(odd) == dict.fromkeys(odd, ONE)


def _write(file: Path, number: int) -> int:
    cache = Cache(file)
    for turn in range(5):
        cache.put({f"{number} {turn}": ONE, f"shared {turn}": ONE})
    return len(cache.get([f"{number} {turn}" for turn in range(5)]))


def test_several_processes_share_a_cache(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(_write, [tmp_path / "extracted.db"] * 3, range(3))) == [5, 5, 5]
    assert len(Cache(tmp_path / "extracted.db").get([f"shared {turn}" for turn in range(5)])) == 5

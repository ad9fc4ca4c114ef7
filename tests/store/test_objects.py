from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.store.objects import Objects


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "objects")


@pytest.mark.parametrize("content", [b"", b"\0", b"picture" * 100_000], ids=["nothing", "NUL", "700 KB"])
def test_bytes_come_back_by_their_digest(objects, content):
    digest = objects.put(content)
    assert digest == sha256(content).hexdigest()
    assert objects.get(digest) == content


def test_the_same_bytes_are_kept_once(objects):
    assert objects.put(b"a") == objects.put(b"a")
    assert len([f for f in objects.path.rglob("*") if f.is_file()]) == 1


def test_a_missing_object_is_told(objects):
    with pytest.raises(StoreError, match="is not in"):
        objects.get("0" * 64)


@pytest.mark.parametrize("change", [b"", b"pictur", b"Picture"], ids=["emptied", "cut", "altered"])
def test_an_object_that_was_changed_on_disk_is_refused(objects, change):
    digest = objects.put(b"picture")
    (objects.path / digest[:2] / digest).write_bytes(change)
    with pytest.raises(StoreError, match="was changed on disk"):
        objects.get(digest)


@pytest.mark.parametrize(
    "trick",
    [
        "",
        "../key",
        "/etc/passwd",
        "..",
        "0" * 63,
        "0" * 65,
        "0" * 63 + "\n",
        "../" + "0" * 61,
        "A" * 64,
        "0" * 63 + "\0",
    ],
)
def test_nothing_but_a_digest_is_looked_for(objects, trick):
    with pytest.raises(StoreError, match="is not a sha256 digest"):
        objects.get(trick)


def test_many_threads_put_the_same_and_other_bytes_at_once(objects):
    contents = [str(n % 20).encode() * 5_000 for n in range(200)]
    with ThreadPoolExecutor(16) as pool:
        digests = list(pool.map(objects.put, contents))
    assert [objects.get(d) for d in digests] == contents
    assert len([f for f in objects.path.rglob("*") if f.is_file()]) == 20  # and nothing half-written

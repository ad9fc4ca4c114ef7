import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from openflywheel.store.backend import made_once, without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:p4ss@host/turns", "postgresql://ann:***@host/turns"),
        ("postgres://ann:p4/s:s@x@host:5432/turns", "postgres://ann:***@host:5432/turns"),
        ("postgresql://host/turns?password=p4ss&sslmode=require", "postgresql://host/turns?password=***&sslmode=require"),
        ("postgresql+psycopg://ann@host:5432/turns", "postgresql+psycopg://ann@host:5432/turns"),
        ("sqlite:////var/turns.db", "sqlite:////var/turns.db"),
    ],
)  # fmt: skip
def test_a_url_is_shown_without_its_password(url, shown):
    assert without_password(url) == shown


def test_a_file_that_is_made_once_keeps_its_first_content(tmp_path):
    path = tmp_path / "key"
    assert made_once(path, b"first") == made_once(path, b"second") == path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_many_who_make_a_file_at_once_agree_on_its_content(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda n: made_once(tmp_path / "key", bytes([n]) * 100), range(8)))
    assert len(made) == 1
    assert (tmp_path / "key").read_bytes() in made
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]

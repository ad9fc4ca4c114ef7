import pickle
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.errors import MissingExtra, StoreError
from openflywheel.store.vault import TOKEN, Kept, Vault

SECRET = bytes(range(32))
SUPPORT, BOTH = ("support",), ("support", "training")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault.db", SECRET)


def keep(vault: Vault, value: str, purposes: tuple[str, ...] = SUPPORT, subject: str = "ann") -> str:
    token = vault.token("email", value, purposes)
    vault.keep([(token, value, purposes, subject)])
    return token


def test_a_kept_value_comes_back_for_its_purpose_alone(vault: Vault) -> None:
    token = keep(vault, "jo@example.com")
    text = f"Write to {token}, {token}."
    assert vault.restore(text, "support") == "Write to jo@example.com, jo@example.com."
    assert vault.restore(text, "training") == text
    assert vault.restore(text, "") == text


def test_each_of_several_purposes_may_see_it(vault: Vault) -> None:
    token = keep(vault, "jo@example.com", BOTH)
    assert [vault.restore(token, p) for p in ("support", "training", "supp", "support\x1ftraining")] == [
        "jo@example.com", "jo@example.com", token, token,
    ]  # fmt: skip


def test_unknown_tokens_stay(vault: Vault) -> None:
    unknown = vault.token("email", "never@kept.org", SUPPORT)
    assert vault.restore(unknown, "support") == unknown  # there is no file yet
    known = keep(vault, "jo@example.com")
    assert vault.restore(f"{unknown} {known}", "support") == f"{unknown} jo@example.com"


def test_a_restored_value_is_not_read_again(vault: Vault) -> None:
    inner = keep(vault, "jo@example.com")
    outer = keep(vault, inner)
    assert vault.restore(outer, "support") == inner


values = st.text(max_size=30)


@settings(deadline=None)
@given(values, values, st.sampled_from(["email", "phone"]), st.sampled_from([SUPPORT, BOTH]))
def test_a_token_stands_for_one_value_kind_and_set_of_purposes(
    value: str, other: str, kind: str, purposes: tuple[str, ...]
) -> None:
    vault = Vault(Path("nowhere"), SECRET)
    token = vault.token(kind, value, purposes)
    assert TOKEN.fullmatch(token)
    assert token == vault.token(kind, value, purposes[::-1])
    assert (vault.token(kind, other, purposes) == token) == (other == value)
    assert vault.token(kind, value, ("other",)) != token
    assert Vault(Path("nowhere"), b"another").token(kind, value, purposes) != token


def test_what_stands_between_the_parts_of_a_token_joins_no_two(vault: Vault) -> None:
    assert vault.token("email", "a", ("b", "c")) != vault.token("email", "a", ("b\x1fc",))


@settings(deadline=None)
@given(st.lists(values, max_size=4))
def test_any_text_is_kept_whole(tmp_path_factory: pytest.TempPathFactory, some: list[str]) -> None:
    vault = Vault(tmp_path_factory.mktemp("v") / "vault.db", SECRET)
    tokens = [keep(vault, value) for value in some]
    assert [vault.restore(token, "support") for token in tokens] == some


def test_no_byte_of_a_value_stands_in_the_file_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.db", SECRET)
    keep(vault, "jo@example.com")
    assert b"example" not in (tmp_path / "vault.db").read_bytes()
    assert stat.S_IMODE((tmp_path / "vault.db").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["vault.db"]


def test_keeping_twice_keeps_once_and_nothing_makes_no_file(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.db", SECRET)
    vault.keep([])
    assert not (tmp_path / "vault.db").exists()
    assert keep(vault, "jo@example.com") == keep(vault, "jo@example.com")
    assert vault.forget(subject="ann") == 1


def test_a_forgotten_person_is_forgotten_everywhere(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.db", SECRET)
    shared = keep(vault, "jo@example.com", subject="ann")
    keep(vault, "jo@example.com", subject="bob")
    own = keep(vault, "bob@example.com", subject="bob")
    sealed = _rows(tmp_path)[shared]
    assert vault.forget(subject="ann") == 1
    assert vault.restore(f"{shared} {own}", "support") == f"{shared} bob@example.com"
    assert sealed not in (tmp_path / "vault.db").read_bytes()
    assert vault.forget(subject="ann") == 0


def _rows(folder: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(folder / "vault.db")) as db:
        return dict(db.execute("SELECT token, value FROM sealed").fetchall())


def test_tokens_are_forgotten_one_by_one_and_nobody_is_no_person(vault: Vault) -> None:
    one, two = keep(vault, "a@example.com", subject=""), keep(vault, "b@example.com", subject="")
    assert vault.forget() == vault.forget(subject="") == vault.forget(subject="ann") == 0
    assert vault.forget(tokens=[one, "<email-aaaaaaaaaaaaa>"]) == 1
    assert vault.restore(f"{one} {two}", "support") == f"{one} b@example.com"


def test_forgetting_without_a_file_makes_none(tmp_path: Path) -> None:
    assert Vault(tmp_path / "vault.db", SECRET).forget(subject="ann") == 0
    assert list(tmp_path.iterdir()) == []


def test_all_of_a_batch_is_kept_or_nothing(vault: Vault) -> None:
    bad: list[Kept] = [("<email-aaaaaaaaaaaaa>", "a", SUPPORT, "ann"), (None, "b", SUPPORT, "ann")]  # type: ignore[list-item]
    with pytest.raises(StoreError, match="NOT NULL"):
        vault.keep(bad)
    assert vault.forget(subject="ann") == 0


def test_another_secret_or_a_changed_purpose_opens_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.db", SECRET)
    token = keep(vault, "jo@example.com")
    with pytest.raises(StoreError, match="kept under another secret"):
        Vault(tmp_path / "vault.db", b"another").restore(token, "support")
    with closing(sqlite3.connect(tmp_path / "vault.db")) as db, db:
        db.execute("UPDATE sealed SET purposes = 'training'")
    with pytest.raises(StoreError, match="was changed"):
        vault.restore(token, "training")
    assert vault.restore(token, "support") == token


def test_a_file_that_is_no_vault_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"something else entirely, and long enough" * 100)
    with pytest.raises(StoreError, match=r"vault\.db cannot be used: file is not a database"):
        keep(Vault(tmp_path / "vault.db", SECRET), "jo@example.com")
    with pytest.raises(StoreError, match="No such file or directory"):
        keep(Vault(tmp_path / "none" / "vault.db", SECRET), "jo@example.com")


def test_a_vault_goes_to_another_process(tmp_path: Path) -> None:
    vault = pickle.loads(pickle.dumps(Vault(tmp_path / "vault.db", SECRET)))
    assert vault.restore(keep(vault, "jo@example.com"), "support") == "jo@example.com"


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from pathlib import Path; from openflywheel.store.vault import Vault\n"
        f"vault = Vault(Path({str(tmp_path / 'vault.db')!r}), b's')\n"
        "print(vault.restore(vault.token('email', 'a', ()), 'x'))\n"
        "vault.keep([('<email-aaaaaaaaaaaaa>', 'a', ('x',), '')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.stdout.startswith("<email-")
    assert "pip install 'openflywheel[vault]'" in ran.stderr
    assert MissingExtra.__name__ in ran.stderr

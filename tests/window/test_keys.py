"""API keys on the command line."""

import json
import re
import time
from contextlib import closing
from hashlib import sha256

import pytest

from openflywheel.serve._keys import KeyRing
from openflywheel.store import Store
from openflywheel.store.keys import Keys
from openflywheel.window import terminal

SETTINGS = "name: keys\nstore: wheel\ntasks: {route: {kind: label}}\n"
LIMITS = {
    "rate": "100/m",
    "subject_rate": "5/s",
    "budget": "5/d",
    "subject_budget": "0.5/d",
    "tenant": "acme",
}
OPTIONS = [word for name, value in LIMITS.items() for word in (f"--{name.replace('_', '-')}", value)]
APP = ("keys", "create", "--name", "app", "--scope", "infer")


@pytest.fixture(autouse=True)
def folder(bare, monkeypatch):
    """A folder with settings and no store yet; the command stands in the terminal."""
    (bare / "flywheel.yaml").write_text(SETTINGS)
    monkeypatch.setitem(terminal.COMMANDS, "keys", ("_keys", "Create, list and revoke API keys."))
    return bare


@pytest.fixture
def ring(folder):
    """The keys as a gateway reads them now."""

    def now() -> KeyRing:
        with closing(Store(folder / "wheel")) as store:
            return KeyRing(Keys(store.journal).all)

    return now


def test_the_secret_alone_is_on_standard_output(flywheel, ring):
    result = flywheel(*APP, "--scope", "signal")
    secret = result.stdout.removesuffix("\n")
    key = ring().find(f"Bearer {secret}".encode(), None, time.time())
    assert (key.name, key.scopes) == ("app", ("infer", "signal"))
    assert f"API key {key.id} for “app”: infer, signal. It is shown this once; keep it." in result.stderr


def test_the_secret_is_never_shown_again(flywheel, ask_json):
    secret = flywheel(*APP).stdout.strip()
    random = secret.rpartition("-")[2]
    digest = sha256(secret.encode()).hexdigest()
    shown = flywheel("keys", "list").output + json.dumps(ask_json("keys", "list"))
    shown += flywheel("keys", "revoke", secret.split("-")[1]).output
    assert secret.split("-")[1] in shown
    assert random not in shown
    assert digest not in shown


def test_json_holds_the_key_and_its_secret_once(ask_json):
    made = ask_json(*APP, *OPTIONS, "--expires", "90d")
    assert re.fullmatch(rf"fw-{made['id']}-\w{{43}}", made.pop("secret"))
    assert made | LIMITS == made
    assert abs(made["expires"] - made["created"] - 90 * 86_400) < 60
    assert made["state"] == "valid"
    assert ask_json("keys", "list") == [made]


def test_the_list_shows_limits_and_states(flywheel, ask_json):
    flywheel(*APP, *OPTIONS, "--expires", "12h")
    ops = ask_json("keys", "create", "--name", "ops", "--scope", "admin", "--scope", "operate")
    flywheel("keys", "revoke", ops["id"])
    states = [(key["name"], key["state"], key["scopes"]) for key in ask_json("keys", "list")]
    assert states == [("app", "valid", ["infer"]), ("ops", "revoked", ["operate", "admin"])]
    shown = " ".join(re.sub(r"\s+", " ", flywheel("keys", "list").stdout).split())
    for word in ("“app”", "valid for", "revoked", "100/m", "acme"):
        assert word in shown


def test_an_expired_key_is_called_so(folder, ask_json):
    with closing(Store(folder / "wheel")) as store:
        Keys(store.journal).create("app", ["infer"], expires=time.time() + 0.05)
    time.sleep(0.06)
    assert [key["state"] for key in ask_json("keys", "list")] == ["expired"]


def test_without_keys_the_list_says_what_that_means(flywheel, ask_json):
    assert "No API keys: only this machine may ask" in flywheel("keys", "list").stdout
    assert ask_json("keys", "list") == []


def test_a_revoked_key_is_refused_by_the_next_refresh(flywheel, ask_json, ring):
    made = ask_json(*APP)
    found = ring()
    assert found.find(None, made["secret"].encode(), time.time()).valid(time.time())
    assert "refuses it within a second" in flywheel("keys", "revoke", made["id"]).stdout
    assert not ring().open
    assert ask_json("keys", "revoke", made["id"])["state"] == "revoked"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scope", "admin"], "a key with admin cannot hold infer too"),
        (["--scope", "sing"], "there is no scope 'sing'; did you mean"),
        (["--rate", "100"], "'100' is not a rate; write 5/s"),
        (["--subject-rate", "x"], "'x' is not a rate"),
        (["--budget", "5/h"], "'5/h' is not a budget; write 5/d"),
        (["--subject-budget", "0/d"], "'0/d' is not a budget"),
        (["--expires", "soon"], "'soon' is not a duration"),
        (["--expires", "0d"], "would have expired already"),
    ],
)
def test_what_cannot_be_is_said_and_no_key_is_made(options, said, flywheel, ask_json):
    result = flywheel(*APP, *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert ask_json("keys", "list") == []


def test_an_unknown_id_is_answered_with_the_nearest(flywheel, ask_json):
    made = ask_json(*APP)
    result = flywheel("keys", "revoke", made["id"][:-1])
    assert result.exit_code == 2
    assert f"did you mean '{made['id']}'?" in result.stderr


def test_errors_are_json_too(ask_json):
    assert ask_json("keys", "revoke", "none")["error"] == "UnknownKey"
    assert ask_json(*APP, "--rate", "no")["error"] == "SettingsError"


@pytest.mark.parametrize("missing", ["--name", "--scope"])
def test_a_key_needs_a_name_and_a_scope(missing, flywheel):
    words = {"--name": ("--scope", "infer"), "--scope": ("--name", "app")}[missing]
    result = flywheel("keys", "create", *words)
    assert result.exit_code == 2
    assert f"Missing option '{missing}'" in result.stderr


def test_a_name_cannot_steer_the_terminal(flywheel):
    name = "red \x1b[31malert"
    shown = flywheel("keys", "create", "--name", name, "--scope", "infer").stderr
    shown += flywheel("keys", "list").stdout
    assert "\x1b" not in shown
    assert "“red  [31malert”" in shown

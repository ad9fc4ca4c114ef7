import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.guard.secrets import DETECTORS, KINDS, secrets

# Made up here, in the issuers' forms; put together so that secret scanners leave this file alone.
SECRETS = {
    "anthropic": ["sk-" + "ant-api03-" + "Ab1-" * 8],
    "openai": ["sk-" + "Ab1" * 16, "sk-" + "proj-" + "Ab1_" * 10],
    "aws": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE"],
    "github": ["ghp_" + "Ab1" * 12, "github_pat_" + "Ab1_" * 10],
    "google": ["AIza" + "Ab1_-" * 7],
    "slack": ["xox" + "b-123456789012-Ab1Ab1"],
    "stripe": ["sk_" + "live_" + "Ab1" * 8, "rk_" + "test_" + "Ab1" * 8],
    "jwt": ["eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.c2lnbmF0dXJl"],
    "private key": [
        f"-----BEGIN {of}-----\nProc-Type: 4,ENCRYPTED\n\nMIIE+/=\n-----END {of}-----"
        for of in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
    ],
}  # fmt: skip
TOLD = {
    "my password is {}": ["hunter22!", "p@ssword", "letMeIn", "123456"],
    "The password for my account is {}": ["hunter22"],
    "password: {}": ["xyz", "swordfish", "hunter22", "correct-horse"],
    "Passwort: {}": ["geheim"],
    "mein Passwort lautet {}": ["Geheim1"],
    "mot de passe : {}": ["soleil7"],
    "DB_PASSWORD={} docker up": ["swordfish"],
    "pwd = {} is mine": ["swordfish"],
    '{{"api_key": "{}", "n": 1}}': ["swordfish"],
    "aws_secret_access_key = {}": ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE"],
    "login: jo\npassword: {}\nthanks": ["swordfish"],
}
HARMLESS = [
    "I forgot my password", "My password is wrong!", "my password is not working 123", "the secret is out",
    "is my password case-sensitive?", "What is your password policy?", "password reset is at 10:30",
    "Password: please help", "Forgot password:\n\nThanks", "The token limit is 4096", "token=None",
    "password=${DB_PASSWORD}", "password = os.environ['X']", "password: ********", "password != null",
    "api_key=<your-key>", "sk-learn-contrib-some-long-project-name", "risk-" + "Ab1" * 16, "AKIA", "eyJ.eyJ.",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
]  # fmt: skip

known = st.sampled_from([value for some in SECRETS.values() for value in some])
fillers = st.sampled_from([
    "password: hunter22", "password is", "pwd=", "token:", "swordfish", "hunter22!", "MIIE", '"', "<secret>",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
])  # fmt: skip
glue = st.sampled_from(["", " ", ", ", ".", "-", "/", ":", "\n", "(", ")", "#", "_", "=", "; "])
messy = st.lists(st.tuples(st.one_of(known, fillers), glue).map("".join), min_size=1, max_size=8).map("".join)


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, some in SECRETS.items() for v in some])
def test_each_issuers_form_is_found(kind: str, value: str) -> None:
    text, verdict = secrets(f"I use {value} here")
    assert text == "I use <secret> here"
    assert (verdict.check, verdict.passed, verdict.n, verdict.reason) == ("secrets", "yes", 1, f"1 {kind}")


@pytest.mark.parametrize(("text", "value"), [(t, v) for t, some in TOLD.items() for v in some])
def test_a_told_password_goes_and_its_sentence_stays(text: str, value: str) -> None:
    redacted, verdict = secrets(text.format(value))
    assert redacted == text.format("<secret>")
    assert verdict.reason == "1 password"


@pytest.mark.parametrize("text", HARMLESS)
def test_talk_about_passwords_tells_none(text: str) -> None:
    assert secrets(text)[0] == text
    assert secrets(text)[1].n == 0


def test_the_sentence_keeps_its_full_stop() -> None:
    assert secrets("My password is hunter22. Help!")[0] == "My password is <secret>. Help!"


def test_a_key_block_that_was_cut_off_goes_to_the_end() -> None:
    assert secrets("See:\n-----BEGIN PRIVATE KEY-----\nMIIEvQ\nIBADAN")[0] == "See:\n<secret>"


def test_two_key_blocks_leave_what_stands_between() -> None:
    block = SECRETS["private key"][0]
    assert secrets(f"{block} and {block}")[0] == "<secret> and <secret>"


def test_a_key_that_is_also_told_counts_once() -> None:
    text, verdict = secrets(f"api_key: {SECRETS['openai'][0]}")
    assert (text, verdict.n) == ("api_key: <secret>", 1)


def test_refuse_says_no_and_still_leaks_nothing() -> None:
    text, verdict = secrets("my password is hunter22!", mode="refuse")
    assert (text, verdict.passed) == ("my password is <secret>", "no")
    assert secrets("I forgot my password", mode="refuse")[1].passed == "yes"


def test_kinds_choose_what_is_looked_for() -> None:
    assert secrets("password: hunter22", kinds=("aws",))[1].n == 0
    with pytest.raises(SettingsError, match="no kind 'azure'; choices: anthropic, openai"):
        secrets("", kinds=("azure",))


def test_every_kind_has_a_detector() -> None:
    assert set(KINDS) == {d.kind for d in DETECTORS} == {*SECRETS, "password"}


def test_the_door_offers_it() -> None:
    assert door.load("guard", "secrets", {"mode": "refuse"})("password: hunter22")[1].passed == "no"


@given(known, st.text(alphabet="ab ,.:;!?\n", max_size=10), st.text(alphabet=" ,.:;!?\n", max_size=3))
def test_redaction_never_leaves_the_value(value: str, before: str, after: str) -> None:
    assert value not in secrets(f"{before} {value}{after}")[0]


@given(messy)
def test_redaction_is_idempotent(text: str) -> None:
    once, _ = secrets(text)
    assert secrets(once)[0] == once


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    redacted, verdict = secrets(text)
    assert (verdict.n == 0) == (redacted == text)

"""Secrets: keys whose issuers gave them a recognisable form, and passwords that somebody tells."""

import re
from typing import Literal

from openflywheel.base.nouns import Verdict
from openflywheel.guard._spans import Detector, find, hints, judged, replaced

# No key starts inside a word. What is looked for behind a start is bounded, so time is linear.
KEYS = {
    "anthropic": r"sk-ant-[\w-]{20,}",
    "openai": r"sk-(?!ant-)(?=[\w-]{0,99}\d)[\w-]{20,}",  # the digit spares words such as sk-learn-...
    "aws": r"(?:AKIA|ASIA)[A-Z\d]{16}(?!\w)",
    "github": r"(?:gh[oprsu]_[A-Za-z\d]{36,}|github_pat_\w{22,})",
    "google": r"AIza[\w-]{35,}",
    "slack": r"xox[a-z]-[\w-]{10,}",
    "stripe": r"[rs]k_(?:live|test)_[A-Za-z\d]{16,}",
    "jwt": r"eyJ[\w-]{8,1000}+\.eyJ[\w-]{8,}+\.[\w-]*",
}
# What each of them needs (see Detector): a prefix and so many visible characters behind it.
NEEDS = {
    "anthropic": r"sk-ant-\S{20}",
    "openai": r"sk-\S{20}",
    "aws": r"A[KS]IA[A-Z\d]{16}",
    "github": r"gh[oprsu]_\S{36}|github_pat_\S{22}",
    "google": r"AIza\S{35}",
    "slack": r"xox[a-z]-\S{10}",
    "stripe": r"[rs]k_(?:live|test)_",
    "jwt": r"eyJ\S{20}",
}
# RFC 7468: neither base64 nor the headers hold five dashes. A block that was cut off goes to the end.
BEGINS = "-----BEGIN [A-Z ]{0,20}PRIVATE KEY"
PRIVATE_KEY = r"""-----BEGIN\ [A-Z ]{0,20}PRIVATE\ KEY(?:\ BLOCK)?-----
    (?:[^-]++|-(?!----))*+ (?:-----END\ [A-Z ]{0,20}PRIVATE\ KEY(?:\ BLOCK)?-----)?"""

# At most 1,000 characters of value: a text that repeats "password:" would else be read to its end each time.
TOLD = r"""(?<![^\W_])
    (?:pass(?:word|wort|wd|phrase|code)|pwd?|kennwort|mot\ de\ passe|contrase[ñn]a|senha|wachtwoord
      | (?:(?:api|access|auth|bearer|client|secret)[ _-]?){1,2}(?:key|token|secret)|token|secret)
    ["'`]?
    (?P<link> [^\S\n]{0,3}(?:=>|->|={1,3}|:)[^\S\n]{0,3}
      | (?:\ (?:for|to|on|of|in|at|i|we|für|zu|de|pour|para)(?:\ \w{1,20}){1,3})?
        \ (?:is|was|ist|war|lautet|est|es|é):?\ )
    ["'`]? (?P<value> (?![=:>])[^\s"'`]{3,1000}(?<![.,;:?)\]}]) )"""

# What it needs: the end of such a word, and behind it the beginning of a link. Python takes the Turkish
# capital with a dot and the small letter without one for an i, RE2 does not.
WORDS = (
    "word", "wort", "wd", "phrase", "code", "pw", "passe", "contraseña", "contrasena", "senha", "key",
    "token", "secret",
)  # fmt: skip
AN_I = "[i\u0130\u0131]"
TOLD_HINT = (
    rf"(?i:(?:{'|'.join(WORDS)})(?:[^\w\n]{{0,5}}[=:>]"
    rf"""|["'`]? (?:(?:for|to|on|of|{AN_I}n|at|{AN_I}|we|für|zu|de|pour|para) [^\n]{{1,63}} )?"""
    rf"(?:{AN_I}s|was|{AN_I}st|war|lautet|est|es|é):? ))"
)

# A digit, an inner mark or an inner capital: "hunter22", "p@ssword", "letMeIn"; not "wrong!".
LOOKS_SECRET = re.compile(r"\d|[a-z][A-Z]|[!@#$%^&*+=~|\\](?=\w)")
# What stands for a secret in code and documents: ${KEY}, $KEY, {{ key }}, get_key(, ****, None, <key>.
STANDS_FOR_ONE = re.compile(
    r"\$\{|\$[A-Z_]+$|\{\{|[\w.]+[(\[]|[*•xX.]+$|(?:none|null|true|false)$|.*<[\w-]+>", re.IGNORECASE
)
ENDS_THE_LINE = re.compile(r"[\"'`]|[.,;:?)\]}]*[^\S\n]*(?:\n|$)")


def _is_told(match: re.Match[str]) -> bool:
    """After `=` all is secret, after `:` what ends the line or looks secret, after `is` what looks secret."""
    if STANDS_FOR_ONE.match(match["value"]):
        return False
    if "=" in match["link"] or LOOKS_SECRET.search(match["value"]):
        return True
    return ":" in match["link"] and bool(ENDS_THE_LINE.match(match.string, match.end()))


DETECTORS = (
    *(Detector(kind, re.compile(rf"(?<!\w){form}"), needs=NEEDS[kind]) for kind, form in KEYS.items()),
    Detector("private key", re.compile(PRIVATE_KEY, re.VERBOSE), needs=BEGINS, long=True),
    Detector("password", re.compile(TOLD, re.VERBOSE | re.IGNORECASE), _is_told, WORDS, TOLD_HINT),
)
KINDS = (*KEYS, "private key", "password")
HINTS = hints(DETECTORS)


def secrets(
    text: str, *, mode: Literal["redact", "refuse"] = "redact", kinds: tuple[str, ...] = KINDS
) -> tuple[str, Verdict]:
    """Replace keys, private key blocks and told passwords with <secret>; `refuse` also says no.

    The forms of the keys are those that their issuers document; key blocks follow RFC 7468. "I forgot my
    password" tells none, "my password is hunter22!" does.
    Raises SettingsError for an unknown mode or kind.
    """
    spans = find(text, DETECTORS, kinds)
    return replaced(text, spans, "<secret>"), judged("secrets", spans, mode)

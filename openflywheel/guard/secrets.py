"""Secrets: keys whose issuers gave them a recognisable form, and passwords that somebody tells.

The forms are those that the issuers document, as also used by secret scanners such as detect-secrets.
"""

import re
from typing import Literal

from openflywheel.base.nouns import Verdict
from openflywheel.guard._spans import Detector, judged

# No key starts inside a word: one start a run, so linear time.
KEYS = {
    "anthropic": r"sk-ant-[\w-]{20,}",
    "openai": r"sk-(?!ant-)[\w-]{20,}",
    "aws": r"(?:AKIA|ASIA)[A-Z0-9]{16}(?!\w)",
    "github": r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})",
    "google": r"AIza[\w-]{35}(?!\w)",
    "slack": r"xox[a-z]-[\w-]{10,}",
    "stripe": r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "jwt": r"eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]*",
}

# RFC 7468; neither base64 nor the headers hold five dashes. A block that was cut off goes to the end.
PRIVATE_KEY = r"""-----BEGIN\ [A-Z ]{0,20}PRIVATE\ KEY(?:\ BLOCK)?-----
    (?:[^-]++|-(?!----))*+ (?:-----END\ [A-Z ]{0,20}PRIVATE\ KEY(?:\ BLOCK)?-----)?"""

# A value ends before white space, quotes and the punctuation of the sentence; <placeholders> are none.
NAME = r"""(?<![^\W_])(?:pass(?:word|wort|wd|phrase|code)|pwd|kennwort|contrase[ñn]a|senha|wachtwoord|mot\ de\ passe
    |(?:api|access|secret)[ _-]?(?:key|token)|client[ _-]?secret|secret|token)"""
VALUE = r"(?!<\w+>)[^\s\"'`]{3,199}(?<![.,;:?)\]}])"
ASSIGNED = rf"""{NAME}["'`]?\s{{0,3}}(?:=|:|->)\s{{0,3}}(?:
    (?P<quote>["'`])(?P<quoted>)"""

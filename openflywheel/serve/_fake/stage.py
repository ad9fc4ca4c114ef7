"""Which rule a request meets. Rules are counted from the moment that a script is put."""

import random
from math import exp

from openflywheel.serve._fake.ledger import Ledger
from openflywheel.serve._fake.script import Rule, Script
from openflywheel.serve._fake.talk import Ask

PLAIN = Rule()


class Stage:
    """A script with what has happened under it, and the ledger, which outlives the script."""

    def __init__(self, script: Script) -> None:
        self.ledger = Ledger()
        self.put(script)

    def put(self, script: Script) -> None:
        """Play another script from its beginning."""
        self.script = script
        self._met = [0] * len(script.rules)
        self._random = random.Random(script.seed)

    def rule(self, path: str, ask: Ask) -> Rule:
        """The first rule that takes the request; one that does nothing when none does."""
        for number, rule in enumerate(self.script.rules):
            if _fits(rule, path, ask):
                self._met[number] += 1
                if _takes(rule, self._met[number]):
                    return rule
        return PLAIN

    def latency(self, rule: Rule) -> float:
        """Seconds before the first byte."""
        if isinstance(rule.latency, float | int):
            return rule.latency
        return rule.latency.median * exp(rule.latency.sigma * self._random.gauss())


def _fits(rule: Rule, path: str, ask: Ask) -> bool:
    return (
        rule.model in ("", ask.model)
        and rule.contains in ask.text
        and path.removesuffix("/").endswith(rule.path)
    )


def _takes(rule: Rule, met: int) -> bool:
    return (rule.nth is None or met == rule.nth) and (rule.times is None or met <= rule.times)

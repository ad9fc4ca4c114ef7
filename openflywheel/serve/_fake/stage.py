"""Which rule a request meets. Rules are counted from the moment that a script is put."""

import random
from math import exp

import msgspec

from openflywheel.serve._fake.jobs import Jobs
from openflywheel.serve._fake.ledger import Bill, Ledger
from openflywheel.serve._fake.script import Rule, Script
from openflywheel.serve._fake.talk import Ask
from openflywheel.serve._fake.uploads import Uploads

PLAIN = Rule()
TUNED = "ft:"  # begins the name of a tuned model


class Stage:
    """A script with what has happened under it, and what outlives it: the ledger, files and jobs."""

    def __init__(self, script: Script) -> None:
        self.ledger, self.files = Ledger(), Uploads()
        self.jobs = Jobs(self.files)
        self.put(script)

    def put(self, script: Script) -> None:
        """Play another script from its beginning."""
        self.script = script
        self._met = [0] * len(script.rules)
        self._random = random.Random(script.seed)

    def clear(self) -> None:
        """Forget what was received, made and paid."""
        self.ledger.clear()
        self.files.clear()
        self.jobs.clear()

    def look(self) -> None:
        """Bring the jobs to where they are by now."""
        self.jobs.look(self.script.tuning)
        for model, tokens in self.jobs.billed():
            self.ledger.charge_training(model, tokens)

    def bill(self) -> Bill:
        """What it would cost at the script's prices."""
        self.look()
        return self.ledger.bill(self.script.prices, self.script.tuning.price)

    def models(self) -> list[str]:
        """Names of the models: those with a price, and those that were tuned."""
        self.look()
        return [*self.script.prices, *self.jobs.models]

    def learned(self, ask: Ask) -> Ask:
        """The request with the answer that its model was tuned to give, if it was tuned. Raises Problem."""
        if not ask.model.startswith(TUNED):
            return ask
        self.look()
        return msgspec.structs.replace(ask, learned=self.jobs.answer(ask.model, ask.text))

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

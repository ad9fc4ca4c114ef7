"""The queue of questions for experts: what study wants to be told, and nobody has answered yet."""

import sys
import time
from collections.abc import Sequence

from msgspec import Struct

from openflywheel.store.group_commit import Statement
from openflywheel.store.journal import Journal


class Question(Struct, frozen=True):
    """One exchange whose right answer is wanted, and why it is asked."""

    exchange: str
    task: str
    why: str
    asked: float


class Experts:
    """Open questions, oldest first. Asking about an exchange twice asks once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def ask(self, exchanges: Sequence[str], *, task: str, why: str, known: Sequence[str] = ()) -> None:
        """Put exchanges into the queue; those in `known` have their answer already."""
        now = time.time()
        sql = (
            "INSERT INTO questions(exchange, task, why, asked, answered) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING"
        )
        rows = [(e, task, why, now, now if e in known else None) for e in exchanges]
        if rows:
            self._journal.write([], [(sql, row) for row in rows])

    def open(self, limit: int = -1) -> list[Question]:
        """Questions without an answer; all of them, or the first `limit`."""
        sql = (
            "SELECT exchange, task, why, asked FROM questions WHERE answered IS NULL "
            "ORDER BY asked, number LIMIT ?"
        )
        return [Question(*row) for row in self._journal.rows(sql, (limit if limit >= 0 else sys.maxsize,))]

    def why(self, exchange: str) -> str:
        """Why an exchange was asked about; empty when it was not."""
        found = self._journal.rows("SELECT why FROM questions WHERE exchange = ?", (exchange,))
        return str(found[0][0]) if found else ""

    @staticmethod
    def answered(exchange: str) -> Statement:
        """The statement that closes a question, to be run beside the answer's signal."""
        return ("UPDATE questions SET answered = ? WHERE exchange = ?", (time.time(), exchange))

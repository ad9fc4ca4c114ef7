"""Keep whole what the model can learn from: other calls lose their bytes before they reach the lake.

What a call cost, took and came to always stays; only the bytes of request and answer go.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from openflywheel.base.ids import event_id, share_of
from openflywheel.base.nouns import Call, Signal
from openflywheel.store.group_commit import Statement
from openflywheel.store.journal import MAX_VARIABLES, Journal, decoder_of

CURSOR = "thinning"
PORTION = 500  # calls looked at at once: with prompts of 10 KB some 10 MB


def thinned(journal: Journal) -> int:
    """Journal number up to which calls have been looked at."""
    found = journal.rows("SELECT seq FROM cursors WHERE room = ?", (CURSOR,))
    return int(found[0][0]) if found else 0


def thin(journal: Journal, upto: int, marks: Collection[str], share: float) -> int:
    """Take the bytes of the calls up to a journal number that nothing marks; returns of how many.

    An exchange is marked by a signal whose kind is in `marks`, or that a person gave; of the others a
    stable random `share` stays whole too, so that the ordinary is not forgotten.
    """
    sql = (
        "SELECT seq, id, body FROM journal WHERE kind = 'call' AND seq > ? AND seq <= ? "
        "AND body IS NOT NULL ORDER BY seq LIMIT ?"
    )
    done, dropped = thinned(journal), 0
    while rows := journal.rows(sql, (done, upto, PORTION)):
        whole = _marked(journal, [id for _, id, _ in rows], marks)
        bare = [(seq, body) for seq, id, body in rows if id not in whole and share_of(id, "keep") >= share]
        done, dropped = rows[-1][0], dropped + len(bare)
        journal.write([], [*(_emptied(seq, body) for seq, body in bare), _cursor(done)])
    if upto > done:
        journal.write([], [_cursor(upto)])
    return dropped


def _marked(journal: Journal, ids: Sequence[str], marks: Collection[str]) -> set[str]:
    found: set[str] = set()
    decode = decoder_of(Signal).decode
    for start in range(0, len(ids), MAX_VARIABLES):
        part = ids[start : start + MAX_VARIABLES]
        sql = (
            "SELECT named.name, journal.body FROM named JOIN journal USING (seq) "  # noqa: S608
            f"WHERE named.kind = 'signal' AND named.name IN ({','.join('?' * len(part))})"
        )
        for name, body in journal.rows(sql, part):
            signal = decode(body) if body is not None else None
            if signal is None or signal.explicit or signal.kind in marks:
                found.add(name)
    return found


def _emptied(seq: int, body: bytes) -> Statement:
    call = replace(decoder_of(Call).decode(body), request=b"", response=b"")
    return "UPDATE journal SET body = ? WHERE seq = ?", (msgspec.msgpack.encode(call), seq)


def _cursor(seq: int) -> Statement:
    return (
        "INSERT INTO cursors(room, seq, passage, state) VALUES (?, ?, ?, '{}') "
        "ON CONFLICT(room) DO UPDATE SET seq = excluded.seq, passage = excluded.passage",
        (CURSOR, seq, event_id()),
    )

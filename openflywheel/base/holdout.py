"""Who is held out: a stable share of people whose exchanges never teach, so that gates stay honest."""

from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Exchange

SEALED = "sealed"  # why collect keeps an exchange without its answer
DRAWN = "holdout"  # why an expert is asked about a sealed exchange: two models differ there
SPOT = "spotcheck"  # or: it belongs to the random sample that sets the cascade's threshold


def held_out(exchange: Exchange, share: float) -> bool:
    """Is this exchange's person (or, unnamed, its conversation) among the held-out share?

    All of a person's exchanges fall on one side, so that nobody is both studied for and examined on.
    """
    return share_of(person_of(exchange), "holdout") < share


def person_of(exchange: Exchange) -> str:
    """Who asked: the subject's key, or where nobody is named the conversation."""
    return exchange.subject or exchange.episode

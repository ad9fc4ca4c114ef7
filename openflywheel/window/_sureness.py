"""How sure an answer is, in the words that its kind has for it."""

from openflywheel.base.nouns import Exchange


def sureness(exchange: Exchange) -> str:
    """ "82% sure" for a label or a quote, "744 to 1235" for a number; empty for texts and rankings.

    These are answered always (their confidence is 1), which says nothing about how right they are.
    """
    always = exchange.confidence == 1.0
    if always and len(exchange.choices) == 2 and all(map(_number, (exchange.output, *exchange.choices))):
        return " to ".join(exchange.choices)
    return "" if always and exchange.output not in exchange.choices else f"{exchange.confidence:.0%} sure"


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

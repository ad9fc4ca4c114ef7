"""What people say outright about an exchange, as Signals."""

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Exchange, Signal, Source


def signals_from(
    exchange: Exchange,
    subject: str,
    *,
    rating: float | bool | None,
    correction: str,
    choice: str,
    label: str,
    comment: str,
) -> list[Signal]:
    """One Signal for each thing that was said. Raises SettingsError when nothing was, or out of range."""

    def signal(kind: str, value: float, source: Source = "user", right: str = "", words: str = "") -> Signal:
        return Signal(
            exchange=exchange.id,
            episode=exchange.episode,
            task=exchange.task,
            subject=subject or exchange.subject,
            kind=kind,
            value=value,
            source=source,
            explicit=True,
            correction=right,
            comment=words,
        )

    out = []
    if rating is not None:
        out.append(signal("rating", _value(rating)))
    if correction:
        out.append(signal("correction", _agrees(exchange, correction), right=correction))
    if choice:
        out.append(signal("choice", _agrees(exchange, choice), right=choice))
    if label:
        out.append(signal("label", _agrees(exchange, label), source="expert", right=label))
    if comment:
        out.append(signal("comment", 0.0, words=comment))
    if not out:
        raise SettingsError("a signal needs one of: rating, correction, choice, label, comment")
    return out


def _value(rating: float | bool) -> float:
    value = (1.0 if rating else -1.0) if isinstance(rating, bool) else float(rating)
    if not -1 <= value <= 1:
        raise SettingsError(f"rating = {rating} is outside -1 (bad) to 1 (good)")
    return value


def _agrees(exchange: Exchange, right: str) -> float:
    """1 when the answer was right, -1 when it was wrong, 0 when none was given."""
    return 0.0 if not exchange.output else 1.0 if exchange.output == right else -1.0

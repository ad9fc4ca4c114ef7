"""An AI data flywheel. Read the folders from top to bottom: that is the loop.

    collect    Gap      -> Record      fetch what we lack
    curate     Record   -> Dataset     clean, redact, dedupe; freeze a version
    customize  Dataset  -> Model       teach a candidate
    evaluate   Model    -> Verdict     is it good enough?
    guard      Model    -> Verdict     is it allowed?
    serve      Verdict  -> Exchange    promote what passed; answer people
    signals    Exchange -> Signal      hear how it went
    store      keeps every one of these, and lends each room what is new for it
    study      Signal   -> Gap         see what is missing; back to collect
    velocity   Step     -> Reading     how well does the wheel itself turn?

``base`` holds the words every room speaks, ``wheel`` joins the rooms, ``window`` is how people look in.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openflywheel.wheel.flywheel import Flywheel

__all__ = ["Flywheel"]


def __getattr__(name: str) -> Any:
    """`from openflywheel import Flywheel`: loaded when asked for, so that `import openflywheel` is quick."""
    if name in __all__:
        return getattr(import_module("openflywheel.wheel.flywheel"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

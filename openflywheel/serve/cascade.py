"""The model answers when it is sure enough; else a person does."""

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import Costs


def cascade(costs: Costs, *, least: float | None = None) -> float:
    """Confidence below which a question is handed to a person, in [0, 1].

    By default Chow's rule (Chow 1970, IEEE Trans. Inf. Theory 16): hand over when the expected cost of a
    wrong answer, (1 - p) * costs.error, exceeds costs.person. It needs calibrated confidences. `least` sets
    the threshold by hand. Raises SettingsError when it is no probability.
    """
    if least is not None:
        if not 0 <= least <= 1:
            raise SettingsError(f"serve.cascade: least = {least} is not a probability between 0 and 1")
        return least
    return max(0.0, 1 - (costs.person - costs.call) / costs.error) if costs.error > 0 else 0.0

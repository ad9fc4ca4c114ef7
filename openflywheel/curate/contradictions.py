"""Find texts that say different things about the same."""

from openflywheel.base.errors import SettingsError
from openflywheel.curate._enrich.settling import Trust, whole
from openflywheel.curate._whole import Whole


def contradictions(*, trust: Trust = "newest", most: int = 64, drop: bool = False) -> Whole:
    """Mark a text of which another one, newer, says a sentence with other figures, or with its negation.

    trust: who is right: "newest", by "modified", else "published", else `at`; or "credible", by the fact
        "credibility" (.5 where there is none), then by those. most: sentences of a text that are compared.
    drop: drop the texts that are not right; reason "contradictions: another text says otherwise".

    Fact "contradicted_by": the id of the best text that says otherwise. Where neither is better both have it,
    and none is dropped.

    Two sentences meet if they are the same word for word without numbers, prices, dates in digits and words
    that say no (in a dozen languages); the years of a sentence that has other figures stay in it. So "within
    30 days" meets "within 14 days", and "may" meets "may not"; what is said in other words is not found, nor
    are "thirty" and "fourteen". Texts that name different entities (enrich) do not meet, nor do parts of one
    document, and a sentence that one text says with several values is a pattern, not a claim. After the
    antonymy, negation and numeric classes of de Marneffe et al. 2008, "Finding Contradictions in Text" (ACL);
    the rest needs a model. Raises SettingsError.
    """
    if most < 1:
        raise SettingsError(f"curate.contradictions: most = {most}; give 1 or more")
    return whole(trust, most, drop)

"""Answers that people liked or did not, and what they would have liked: facts of records about preference.

A correction is an example of what is right, and says beside it which answer was not (`REJECTED`). A thumb is
no example: its record holds the answer that was given, and whether people liked it (`THUMB`). Nor is what
a teacher, a provider's model, answered. Such records are labelled by `MODEL`, and their rows stand apart with
the role "preference": only trainers that know what they are learn from them.
"""

MODEL = "model"  # who labelled a record whose label no person gave
TEACHER = "a teacher answered"  # why of a Gap whose evidence a provider's model answered

THUMB, REJECTED, COUNTS = "thumb", "rejected", "counts"
UP, DOWN = "up", "down"
WHY = {"people liked the answers": UP, "people disliked the answers": DOWN}
"""Why of a Gap -> the thumb of the records that its evidence makes; `COUNTS` is the gap's weight."""

"""The terms under which a source collects: settings that all sources share."""

from typing import Literal

import msgspec
from msgspec import Struct, field

from openflywheel.base.nouns import Record
from openflywheel.collect._contract import Contract

Basis = Literal[
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interest",
    "no_personal_data",
]
"""Article 6(1) of the GDPR, letters a to f; the last for data about nobody, which needs none."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written on every Record of a source, and when it is asked.

    `basis` is the legal basis, without which nothing is collected; `purposes` say what the Records may be
    used for; `license` stands where the thing itself names none; `task` is the one whose gaps the source is
    shown (any). `when` it is asked: by a "gap" that names what is missing, also at the "start", when nothing
    is there yet, or also in every "turn", for what is new.
    """

    basis: Basis
    purposes: tuple[str, ...] = ("training",)
    region: str = ""
    license: str = ""
    task: str = ""
    when: Literal["gap", "start", "turn"] = "start"
    contract: Contract = field(default_factory=Contract)

    def stamp(self, record: Record) -> Record:
        """The record with the terms on it; what the source knew better stays."""
        return msgspec.structs.replace(
            record,
            id="",
            basis=self.basis,
            purposes=record.purposes or self.purposes,
            region=record.region or self.region,
            license=record.license or self.license,
        )

"""What the fake site and the fake datasets are about: a small shop, every sentence written by us."""

from msgspec import Struct


class Product(Struct, frozen=True, kw_only=True):
    """Something that the shop sells; `facts` are sentences about it, `asked` are (question, answer)."""

    slug: str
    name: str
    price: float
    facts: tuple[str, ...]
    asked: tuple[tuple[str, str], ...]
    related: tuple[str, ...] = ()


PRODUCTS = (
    Product(
        slug="kettle",
        name="Fjord electric kettle",
        price=39.9,
        facts=(
            "The kettle boils one litre of water in three minutes and switches itself off.",
            "Descale it once a month with citric acid: a spoonful in a full kettle, boil, wait, rinse.",
            "If it does not switch on, check that the lid is closed and that it stands level on its base.",
        ),
        asked=(
            (
                "How do I descale the kettle?",
                "Boil a spoonful of citric acid in it, wait ten minutes, rinse twice.",
            ),
            ("Does it keep water warm?", "No, it switches itself off when the water boils."),
        ),
        related=("toaster",),
    ),
    Product(
        slug="toaster",
        name="Ember two-slot toaster",
        price=29.5,
        facts=(
            "The toaster has six levels of browning and a crumb tray that slides out at the back.",
            "It lifts small slices high enough to be taken out without a fork.",
        ),
        asked=(("Can I toast frozen bread?", "Yes, press the snowflake button first."),),
        related=("kettle",),
    ),
    Product(
        slug="headphones",
        name="Lark wireless headphones",
        price=89.0,
        facts=(
            "The headphones play for thirty hours on one charge of their lithium battery.",
            "Hold both buttons for five seconds to pair them with another phone.",
            "The ear pads can be replaced; a pair costs nine dollars.",
        ),
        asked=(
            (
                "How do I pair the headphones with a laptop?",
                "Hold both buttons until the light blinks blue, then choose Lark.",
            ),
            ("Can the battery be replaced?", "Yes, our service replaces it for nineteen dollars."),
        ),
        related=("battery-disposal",),
    ),
    Product(
        slug="drill",
        name="Otter cordless drill",
        price=119.0,
        facts=(
            "The drill comes with two batteries of eighteen volts and a charger.",
            "A worn battery of the drill loses charge overnight; bring it to a collection point.",
        ),
        asked=(
            (
                "Which bits fit the drill?",
                "All with a round or hexagonal shank of up to thirteen millimetres.",
            ),
        ),
        related=("battery-disposal",),
    ),
)

GUIDES = (
    (
        "battery-disposal",
        "How to dispose of old batteries",
        (
            "Old batteries do not belong in household waste: lithium cells can catch fire in the bin lorry.",
            "Tape over the poles and bring used batteries to any shop that sells them; disposal is free.",
            "Our own shops take back batteries of any brand in the green box beside the till.",
        ),
        ("headphones", "drill"),
    ),
    (
        "returns",
        "Returns and refunds",
        (
            "You may return anything within thirty days in its original box.",
            "We refund to the card that you paid with, within five working days of its arrival.",
        ),
        ("shipping",),
    ),
    (
        "shipping",
        "Shipping times and costs",
        (
            "Parcels within the country take two days and cost four dollars, above fifty dollars nothing.",
            "Parcels abroad take a week, and customs are paid by the receiver.",
        ),
        ("returns",),
    ),
    (
        "warranty",
        "Warranty and repairs",
        (
            "Everything that we sell has a warranty of two years from the day on the receipt.",
            "Send broken things to our workshop: repairs under warranty cost nothing, shipping included.",
        ),
        ("returns", "battery-disposal"),
    ),
)

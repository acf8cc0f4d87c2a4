"""The shop's rows: invented, believable, and the same every time.

Knows how to make values that a detector must take for real (card numbers that pass Luhn, IBANs that pass mod 97) out of
ranges that belong to nobody: mail domains of RFC 2606, the 555-01xx phone numbers, test card prefixes. Knows no database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

Cell = str | int | None | datetime | Sequence[str] | Mapping[str, object]
Row = tuple[Cell, ...]

CUSTOMERS: Final = 2000
PRODUCTS: Final = 120
ORDERS: Final = 4000
NOTES: Final = 500
_OPENING: Final = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)
_DAYS: Final = 900

_FIRST: Final = [
    "Ada",
    "Alan",
    "Amara",
    "Anika",
    "Björn",
    "Carmen",
    "Chen",
    "Chloé",
    "Dmitri",
    "Edith",
    "Elena",
    "Emeka",
    "Farah",
    "Grace",
    "Hana",
    "Hiro",
    "Ines",
    "Ivan",
    "Jamal",
    "Joan",
    "Kenji",
    "Lena",
    "Linus",
    "Luis",
    "Maya",
    "Mei",
    "Milan",
    "Nadia",
    "Noor",
    "Olu",
    "Omar",
    "Paula",
    "Priya",
    "Ravi",
    "Rosa",
    "Sami",
    "Sofia",
    "Tomás",
    "Uma",
    "Vera",
    "Wei",
    "Yara",
    "Zoë",
]
_LAST: Final = [
    "Abbott",
    "Adeyemi",
    "Ahmed",
    "Alvarez",
    "Andersson",
    "Baker",
    "Becker",
    "Chandra",
    "Costa",
    "Díaz",
    "Dubois",
    "Evans",
    "Fischer",
    "Garcia",
    "Haddad",
    "Hughes",
    "Ito",
    "Jensen",
    "Johnson",
    "Kim",
    "Kovács",
    "Laurent",
    "Lee",
    "Lopez",
    "Martin",
    "Mbeki",
    "Meyer",
    "Moreau",
    "Nakamura",
    "Novak",
    "O'Brien",
    "Okafor",
    "Patel",
    "Petrov",
    "Rossi",
    "Santos",
    "Schmidt",
    "Silva",
    "Singh",
    "Tanaka",
    "Turner",
    "Ueda",
    "Vargas",
    "Weber",
    "Wong",
    "Yilmaz",
    "Zhang",
]
_STREETS: Final = [
    "Maple",
    "Cedar",
    "Harbor",
    "Mill",
    "Station",
    "Orchard",
    "River",
    "Union",
    "Market",
    "Chapel",
    "Juniper",
    "Summit",
]
_CITIES: Final = (
    ("Portland", "OR", "97209"),
    ("Austin", "TX", "78702"),
    ("Madison", "WI", "53703"),
    ("Providence", "RI", "02906"),
    ("Denver", "CO", "80205"),
    ("Savannah", "GA", "31401"),
    ("Duluth", "MN", "55802"),
    ("Tucson", "AZ", "85701"),
)
_KINDS: Final = [
    "Kettle",
    "Lamp",
    "Backpack",
    "Notebook",
    "Teapot",
    "Blanket",
    "Headphones",
    "Bicycle-bell",
    "Chair",
    "Clock",
    "Umbrella",
    "Knife",
]
_LOOKS: Final = ["Oak", "Copper", "Linen", "Slate", "Walnut", "Enamel", "Wool", "Brass", "Cobalt", "Cork"]
_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example.com")
_AGENTS: Final = ("dana", "felix", "marta", "sunil")
_NOTES: Final = (
    "Asked where order {order} is. Parcel was at the depot, told them to wait a day.",
    "Wants the receipt for order {order} sent to {email} instead.",
    "Card was declined twice. Customer read it out: {card}. Told them never to do that again.",
    "New phone number is {phone}, please update. Old one no longer works.",
    "Refund for order {order} approved, money goes back to {iban}.",
    "Identity check for instalments done, SSN {ssn} matches the paper.",
    "Very happy with the lamp. No action.",
    "Forwarded by {email}: 'my order {order} arrived broken'. Replacement sent.",
)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one table in the order of `columns`."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class _Customer:
    number: int
    name: str
    email: str
    phone: str
    ssn: str
    card: str
    iban: str
    address: str
    created: datetime


def luhn_digit(digits: str) -> str:
    """The digit that makes `digits` pass the Luhn check (ISO/IEC 7812-1, annex B) when put behind them."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def iban(country: str, account: str) -> str:
    """A German or Dutch IBAN with its check digits (ISO 13616, mod 97 of ISO 7064)."""
    digits = "".join(str(int(character, 36)) for character in account + country + "00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def shop(seed: int = 2024) -> Iterator[Table]:
    """Every table of the shop, parents before children; the same rows for the same seed."""
    chance = Random(seed)
    people = [_customer(chance, number) for number in range(1, CUSTOMERS + 1)]
    yield _customers(chance, people)
    prices = [chance.randrange(450, 28000, 5) for _ in range(PRODUCTS)]
    yield _products(chance, prices)
    yield from _sales(chance, people, prices)
    yield _notes(chance, people)


def _customer(chance: Random, number: int) -> _Customer:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    login = f"{first}.{last}".lower().replace("'", "")
    plain = login.translate(str.maketrans("öéáíë", "oeaie"))
    city, state, code = chance.choice(_CITIES)
    prefix, length = chance.choice((("400000", 16), ("510510", 16), ("371449", 15)))
    body = prefix + "".join(chance.choices("0123456789", k=length - 1 - len(prefix)))
    if chance.random() < 0.6:
        account = iban("DE", "".join(chance.choices("0123456789", k=18)))
    else:
        account = iban("NL", "TEST" + "".join(chance.choices("0123456789", k=10)))
    return _Customer(
        number=number,
        name=f"{first} {last}",
        email=f"{plain}{number}@{chance.choice(_DOMAINS)}",
        phone=f"+1-{chance.choice(('202', '303', '503', '512', '608'))}-555-01{chance.randrange(100):02d}",
        # Area, group and serial number: the number of the customer makes it unique.
        ssn=f"{734 + number % 16}-{1 + number // 16 % 99:02d}-{1 + chance.randrange(9999):04d}",
        card=body + luhn_digit(body),
        iban=account,
        address=f"{chance.randrange(1, 990)} {chance.choice(_STREETS)} St, {city}, {state} {code}",
        created=_moment(chance, 0),
    )


def _moment(chance: Random, earliest_day: int) -> datetime:
    return _OPENING + timedelta(days=chance.randrange(earliest_day, _DAYS), seconds=chance.randrange(43200))


def _customers(chance: Random, people: list[_Customer]) -> Table:
    rows: list[Row] = []
    for who in people:
        preferences: dict[str, object] = {"newsletter": chance.random() < 0.4, "currency": "USD"}
        if chance.random() < 0.1:
            preferences["backup_email"] = f"home{who.number}@example.net"
        rows.append(
            (
                who.number,
                who.name,
                who.email,
                who.phone if chance.random() < 0.9 else None,
                who.ssn if chance.random() < 0.3 else None,
                who.card if chance.random() < 0.7 else None,
                who.address,
                preferences,
                who.created,
            )
        )
    columns = ("id", "name", "email", "phone", "national_id", "card_number", "address", "preferences", "created")
    return Table("customers", columns, rows)


def _products(chance: Random, prices: list[int]) -> Table:
    rows: list[Row] = []
    for number, price in enumerate(prices, start=1):
        look, kind = _LOOKS[(number - 1) % len(_LOOKS)], _KINDS[(number - 1) // len(_LOOKS)]
        tags = [kind.lower(), look.lower()] + (["sale"] if chance.random() < 0.2 else [])
        rows.append((number, f"{kind[:3].upper()}-{number:04d}", f"{look} {kind}", tags, price, chance.randrange(400)))
    return Table("products", ("id", "sku", "name", "tags", "price_cents", "stock"), rows)


def _sales(chance: Random, people: list[_Customer], prices: list[int]) -> Iterator[Table]:
    orders: list[Row] = []
    items: list[Row] = []
    payments: list[Row] = []
    for number in range(1, ORDERS + 1):
        who = chance.choice(people)
        placed = min(who.created + timedelta(days=chance.randrange(400), minutes=7), _OPENING + timedelta(days=_DAYS))
        status = chance.choices(("placed", "paid", "shipped", "delivered", "returned"), (6, 8, 10, 70, 6))[0]
        shipping = {"name": who.name, "address": who.address, "phone": who.phone}
        orders.append((number, who.number, status, shipping, placed))
        amount = 0
        for line in range(1, chance.choices((1, 2, 3, 4, 5), (40, 28, 18, 9, 5))[0] + 1):
            product, quantity = chance.randrange(len(prices)), chance.choices((1, 2, 3), (80, 15, 5))[0]
            items.append((number, line, product + 1, quantity, prices[product]))
            amount += quantity * prices[product]
        if status == "placed":
            continue
        paid = placed + timedelta(minutes=chance.randrange(1, 2880))
        by_card = chance.random() < 0.75
        proof = ("card", amount, who.card[-4:], None) if by_card else ("transfer", amount, None, who.iban)
        payments.append((len(payments) + 1, number, *proof, paid))
    yield Table("orders", ("id", "customer_id", "status", "shipping", "placed"), orders)
    yield Table("order_items", ("order_id", "line", "product_id", "quantity", "price_cents"), items)
    yield Table("payments", ("id", "order_id", "method", "amount_cents", "card_last4", "iban", "paid"), payments)


def _notes(chance: Random, people: list[_Customer]) -> Table:
    rows: list[Row] = []
    for number in range(1, NOTES + 1):
        who = chance.choice(people)
        card = who.card if chance.random() < 0.5 else " ".join(who.card[at : at + 4] for at in range(0, 16, 4))
        body = chance.choice(_NOTES).format(
            order=chance.randrange(1, ORDERS + 1),
            email=who.email,
            card=card,
            phone=who.phone,
            iban=who.iban,
            ssn=who.ssn,
        )
        rows.append((number, who.number, chance.choice(_AGENTS), body, _moment(chance, _DAYS // 2)))
    return Table("support_notes", ("id", "customer_id", "author", "body", "created"), rows)


def copy_text(value: Cell) -> str:
    """A cell in COPY's text format (PostgreSQL 17, COPY, "Text Format")."""
    if value is None:
        return r"\N"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, str | int):
        text = str(value)
    else:
        text = "{" + ",".join(value) + "}"
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")

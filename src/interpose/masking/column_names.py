"""What a column's name, or its comment, says about what it holds: words in several languages, to data classes.

A guess, for proposals that somebody reads; nothing is masked or shown because of it. Names are cut into words
(`customerEMail`, `E_MAIL_ADDRESS`, `Straße-Nr`), without accents and in small letters, and compared as whole words; a few stems that
are rarely part of another word are also found inside one (`kundentelefonnummer`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from interpose.masking.patterns import AWS_KEY, CARD, EMAIL, IBAN, NATIONAL_ID, PASSWORD, PHONE, SSN
from interpose.model.ids import DataClassName
from interpose.model.survey import ColumnKind

NAME: Final = DataClassName("pii.name")
ADDRESS: Final = DataClassName("pii.address")
BIRTH_DATE: Final = DataClassName("pii.birth_date")
SALARY: Final = DataClassName("pii.salary")
IP: Final = DataClassName("net.ip")
LOCATION: Final = DataClassName("pii.location")
LAST4: Final = DataClassName("pci.last4")
CVV: Final = DataClassName("pci.cvv")
TOKEN: Final = DataClassName("secret.token")

DESCRIPTIONS: Final[Mapping[DataClassName, str]] = MappingProxyType(
    {
        NAME: "names of people",
        ADDRESS: "postal addresses",
        BIRTH_DATE: "dates of birth",
        NATIONAL_ID: "national ids",
        IP: "addresses on the internet",
        SALARY: "what somebody earns",
        LOCATION: "where somebody was",
        LAST4: "last digits of a card",
        CVV: "card verification codes",
        PASSWORD: "passwords and their hashes",
        TOKEN: "tokens and keys that let somebody in",
    }
)
"""What to write beside a class that is declared because a column's name asks for it."""

_TEXT: Final = frozenset({ColumnKind.TEXT, ColumnKind.TEXTS})
_TEXT_JSON: Final = _TEXT | {ColumnKind.JSON}
_NUMBERED: Final = _TEXT | {ColumnKind.NUMBER}
_SECRET: Final = _TEXT | {ColumnKind.BYTES, ColumnKind.JSON}


@dataclass(frozen=True, slots=True)
class _Words:
    """Words that ask for a data class. `whole` is searched in ` word word `, `within` inside long words."""

    data_class: DataClassName
    kinds: frozenset[ColumnKind]
    whole: str
    within: str = ""


# The first that fits names the class. Spaces stand between words; an optional space is where people glue words together.
_TABLE: Final = (
    _Words(LAST4, _NUMBERED, r"(?:card|cc|pan|karte|carte|tarjeta)(?: (?:no|num|number))? ?(?:last ?(?:4|four)|suffix)|last ?(?:4|four)(?: digits)?"),
    _Words(CVV, _NUMBERED, r"cvv ?2?|cvc ?2?|csc|card (?:verification|security) (?:code|value)|pruefziffer karte"),
    _Words(
        CARD,
        _NUMBERED,
        r"(?:credit|debit|payment|bank)? ?card ?(?:no|nr|num|number)|cc ?(?:no|nr|num|number)|(?:credit|debit) ?card|kreditkarten? ?(?:nr|nummer)?"
        r"|carte (?:bancaire|bleue|de credit)|numero (?:de )?(?:carte|tarjeta|carta)|tarjeta (?:de )?credito|numero tarjeta|primary account number",
        r"kreditkarte|creditcard|cardnumber",
    ),
    _Words(IBAN, _TEXT, r"iban|bank ?account ?(?:no|nr|num|number)?|account iban|kontonummer|konto ?nr|compte bancaire|cuenta bancaria|numero (?:de )?cuenta|conto corrente|rekeningnummer|bankverbindung", r"kontonummer|bankaccount"),
    _Words(
        SSN,
        _NUMBERED,
        r"ssn|social ?sec(?:urity)?(?: ?(?:no|num|number))?",
        r"socialsecurity",
    ),
    _Words(
        NATIONAL_ID,
        _NUMBERED,
        r"national ?(?:id|identity|identifier|insurance)(?: ?(?:no|num|number|code))?|nino|personal ?(?:id|identity) ?(?:no|num|number|code)|personnummer|fodselsnummer|henkilotunnus|hetu"
        r"|cpr ?(?:nr|nummer|number)?|burgerservicenummer|pesel|codice ?fiscale|numero (?:de )?securite sociale|insee|aadhaar|aadhar"
        r"|nhs ?(?:no|num|number)|tax ?(?:id|payer id|no|number)|itin|steuer ?(?:id|nummer|nr|identifikationsnummer)|sozialversicherungs ?(?:nummer|nr)|svnr|ausweis ?(?:nr|nummer)"
        r"|passport ?(?:no|num|number)?|passnummer|reisepass(?:nummer)?|passeport|pasaporte|(?:driver s?|drivers?|driving) ?licen[cs]e ?(?:no|num|number)?|fuehrerschein(?:nummer)?",
        r"personnummer|steueridentifikation|sozialversicherung|codicefiscale|nationalid",
    ),
    _Words(
        IP,
        _TEXT | {ColumnKind.NETWORK},
        r"(?:(?:client|remote|source|src|login|last|user|peer|sign ?in) )?ip(?: ?v ?[46])?(?: ?(?:addr|address|adresse))?|remote addr(?:ess)?",
        r"ipaddress",
    ),
    _Words(EMAIL, _TEXT_JSON, r"e ?mails?(?: ?(?:addr|address|addresses|adresse|id))?|mail ?(?:addr|address|adresse)|courriel|correo(?: electronico)?|posta elettronica|epost|sahkoposti", r"email|emailadresse|courriel"),
    _Words(
        PHONE,
        _NUMBERED | {ColumnKind.JSON},
        r"(?:tele ?)?phones?(?: ?(?:no|nr|num|number|numbers))?|tel(?: ?(?:no|nr|num|number))?|mobile(?: ?(?:no|nr|num|number|phone))?|cell ?(?:phone)?(?: ?(?:no|number))?|fax(?: ?(?:no|nr|number))?|msisdn"
        r"|telefon(?: ?(?:nr|nummer))?|handy ?(?:nr|nummer)?|mobil ?(?:nr|nummer|telefon)?|telefono|celular|movil|cellulare|telephone|telefoon(?:nummer)?|puhelin(?:numero)?",
        r"telefon|telephone|phonenumber|handynummer",
    ),
    _Words(
        BIRTH_DATE,
        _TEXT | {ColumnKind.TIME},
        r"(?:date of )?birth(?: ?(?:date|day|dt))?|birth ?date|birth ?day|dob|born(?: (?:on|at))?|geburts ?(?:datum|tag)|geb ?datum|date (?:de )?naissance|naissance|fecha (?:de )?nacimiento|nacimiento|data (?:di )?nascita|nascita|geboortedatum|fodselsdato|syntymaaika",
        r"birthdate|geburtsdatum|birthday",
    ),
    _Words(
        ADDRESS,
        _TEXT_JSON,
        r"(?:(?:home|postal|mailing|street|shipping|billing|delivery|residential|customer|contact) )?address(?:es)?(?: ?(?:line)? ?[0-9])?|addr(?: ?(?:line)? ?[0-9])?|street(?: ?(?:name|address|no|nr|number|line))?(?: ?[0-9])?|zip ?(?:code)?|post ?(?:al)? ?code|postcode"
        r"|anschrift|adresse|strasse(?:n? ?(?:name|nr|nummer))?|hausnummer|plz|postleitzahl|code postal|direccion|calle|codigo postal|domicilio|indirizzo|adres|straat|endereco|osoite",
        r"anschrift|postleitzahl|strasse|shippingaddress|billingaddress",
    ),
    _Words(
        NAME,
        _TEXT,
        r"(?:first|last|full|middle|given|family|maiden|birth|legal|nick|preferred|sur|fore|display|contact|customer|person|patient|employee|cardholder|card ?holder|account ?holder|holder) ?names?|surname|fname|lname|forename"
        r"|vorname|nachname|familienname|geburtsname|kontoinhaber|karteninhaber|prenom|nom(?: (?:de )?famille| complet)?|nombres?(?: completo)?|apellidos?|cognome|nome completo|voornaam|achternaam|fornavn|etternavn|fornamn|efternamn|etunimi|sukunimi",
        r"vorname|nachname|firstname|lastname|fullname|surname",
    ),
    _Words(PASSWORD, _SECRET, r"(?:hashed |encrypted |user )?(?:password|passwd|pwd|passphrase|passcode)(?: ?(?:hash|digest|salt|encrypted))?|pass ?hash|kennwort|passwort(?: ?hash)?|mot de passe|contrasena|wachtwoord|parola|pin code|totp(?: ?secret)?|otp(?: ?secret)?|security answer", r"password|passwort|passwd"),
    _Words(AWS_KEY, _SECRET, r"aws (?:access|secret)(?: access)? key(?: id)?"),
    _Words(
        TOKEN,
        _SECRET,
        r"(?:access|refresh|auth|api|bearer|session|reset|id|oauth|csrf|jwt|push|device|remember|confirmation|personal access) ?tokens?|tokens?|api ?(?:key|secret)s?|(?:client|app|shared|webhook|signing|consumer) ?secrets?|secret ?keys?|private ?key|credentials?|zugangsdaten",
        r"accesstoken|apikey|clientsecret",
    ),
    _Words(SALARY, _NUMBERED, r"(?:base |annual |gross |net )?(?:salary|salaries|wages?)|gehalt|bruttolohn|salaire|sueldo|salario|stipendio|salaris"),
    _Words(LOCATION, frozenset({ColumnKind.TEXT, ColumnKind.NUMBER, ColumnKind.OTHER}), r"latitude|longitude|geo ?(?:loc|location|point|position)|gps(?: ?(?:position|coordinates))?|breitengrad|laengengrad"),
)  # fmt: skip

# Short words that mean something else as a part of a name: they count only when they are the whole name.
_ALONE: Final[Mapping[str, DataClassName]] = MappingProxyType(
    {
        **dict.fromkeys(("pan", "cc"), CARD),
        **dict.fromkeys(("rib",), IBAN),
        **dict.fromkeys(("bsn", "dni", "nie", "nif", "nir", "cpf", "rfc", "curp", "tin"), NATIONAL_ID),
        **dict.fromkeys(("mail", "mails"), EMAIL),
        **dict.fromkeys(("portable", "handy", "mobil", "tel", "cell"), PHONE),
        **dict.fromkeys(("rue", "via", "cap"), ADDRESS),
        **dict.fromkeys(("pin",), PASSWORD),
        **dict.fromkeys(("secret", "secrets"), TOKEN),
        **dict.fromkeys(("lat", "lon", "lng", "long"), LOCATION),
    }
)

# Addresses of machines.
_NO_ADDRESS: Final = re.compile(r" (?:mac|wallet|server|web|url|memory|contract|bind|listen|host|network|smtp) addr")

# About a value, not the value: `email_verified`, `phone_type`, `password_changed_at`, `address_id`, `token_count`.
_ABOUT: Final = re.compile(
    r" (?:verified|confirmed|enabled|disabled|valid|allowed|required|optin|opt (?:in|out)|count|type|kind|status|format|length|version|changed|updated|created|sent|expires?|expiry"
    r"|(?:sent|changed|updated|created|verified|confirmed|expires?|used|seen) (?:at|on)|at|is|has|template|subject|provider|domain|label|policy|country|locale|ttl|id|uuid) $"
)

_KINDS: Final = {entry.data_class: entry.kinds for entry in _TABLE}
_WHOLE: Final = tuple(re.compile(rf" (?:{words.whole}) ") for words in _TABLE)
_WITHIN: Final = tuple(re.compile(words.within) if words.within else None for words in _TABLE)

_PEOPLE: Final = re.compile(
    r" (?:customers?|users?|persons?|people|employees?|patients?|contacts?|members?|clients?|staff|students?|guests?|subscribers?|donors?|applicants?|candidates?|authors?|kunden?|personen|mitarbeiter|benutzer"
    r"|clientes?|personas?|usuarios?|empleados?|clienti|utenti|utilisateurs?|personnes?|employes?|klanten|medewerkers|players?|drivers?|tenants?|leads?|accounts? holders?|voters?|residents?) $"
)

_TAG: Final = re.compile(r"\b(?:pii|pci|phi|secret|net)(?:\.[a-z][a-z0-9_-]*)+\b")

# In a comment only phrases count that name a value, since a comment speaks of many things.
_COMMENTS: Final = (
    (CARD, re.compile(r" (?:(?:full )?card number|credit card number|kreditkartennummer) ")),
    (IBAN, re.compile(r" iban ")),
    (SSN, re.compile(r" (?:social security(?: number)?|ssn) ")),
    (NATIONAL_ID, re.compile(r" (?:national id|national identity number|passport number|tax id|steuernummer|personalausweis|codice fiscale) ")),
    (EMAIL, re.compile(r" e ?mail(?: ?address(?:es)?| ?adressen?) ")),
    (PHONE, re.compile(r" (?:(?:tele)?phone|mobile)(?: number)? | telefonnummer ")),
    (BIRTH_DATE, re.compile(r" (?:date of birth|birth ?date|geburtsdatum|birthday) ")),
    (ADDRESS, re.compile(r" (?:(?:postal|home|street|mailing|shipping|billing) address|anschrift|postanschrift) ")),
    (NAME, re.compile(r" (?:(?:full|first|last|family|given) names?|surname|vorname|nachname|familienname) ")),
    (PASSWORD, re.compile(r" (?:password|passwort|password hash) ")),
)  # fmt: skip


def words_of(name: str) -> str:
    """The words of a name with a space around each: `customerEMail_2` is ` customer e mail 2 `."""
    spelled = name.replace("ß", "ss").replace("ø", "o").replace("Ø", "O").replace("ł", "l")
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
        spelled = unicodedata.normalize("NFC", spelled).replace(umlaut, letters)
    spelled = "".join(c for c in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(c))
    spelled = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])", " ", spelled)
    return " " + " ".join(re.findall(r"\w+", spelled.replace("_", " ").lower())) + " "


def class_of_name(name: str, kind: ColumnKind, table: str = "") -> DataClassName | None:
    """The data class that a column's name asks for, None when it asks for none that its type could hold."""
    words = words_of(name)
    alone = _ALONE.get(words.strip())
    if alone is not None and kind in _KINDS[alone]:
        return alone
    if _ABOUT.search(words) and not re.search(r" (?:national|tax|personal|passport|steuer) ?id $", words):
        return None
    for entry, whole in zip(_TABLE, _WHOLE, strict=True):
        if (
            kind in entry.kinds
            and whole.search(words)
            and not (entry.data_class == ADDRESS and _NO_ADDRESS.search(words))
        ):
            return entry.data_class
    glued = [word for word in words.split() if len(word) >= 8]
    for entry, within in zip(_TABLE, _WITHIN, strict=True):
        if within is not None and kind in entry.kinds and any(within.search(word) for word in glued):
            return entry.data_class
    # A bare `name` is somebody's where the table is one of people.
    if words in (" name ", " names ") and kind in _TEXT and _PEOPLE.search(words_of(table)):
        return NAME
    return None


def class_of_comment(comment: str, kind: ColumnKind) -> DataClassName | None:
    """The data class that a comment names: as a tag (`pii.email`), or in a phrase that names a value."""
    tag = _TAG.search(comment)
    if tag is not None:
        return DataClassName(tag.group())
    words = words_of(comment)
    for data_class, phrase in _COMMENTS:
        if kind in _KINDS[data_class] and phrase.search(words):
            return data_class
    return None

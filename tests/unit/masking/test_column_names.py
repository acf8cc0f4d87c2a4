"""What names and comments say of columns: in several languages, however they are written, and not too much."""

import pytest

from interpose.masking.column_names import (
    ADDRESS,
    BIRTH_DATE,
    CVV,
    DESCRIPTIONS,
    IP,
    LAST4,
    LOCATION,
    NAME,
    NATIONAL_ID,
    PASSWORD,
    SALARY,
    TOKEN,
    class_of_comment,
    class_of_name,
    words_of,
)
from interpose.masking.patterns import CARD, CONTENT_CLASSES, EMAIL, IBAN, PHONE, SSN
from interpose.model.survey import ColumnKind

SAYS = {
    EMAIL: "email eMail E_MAIL_ADDRESS customerEMail user_email2 kundenEmailadresse mail courriel correo_electronico emails",
    PHONE: "phone phoneNumber home_phone mobile cell_phone tel fax Telefonnummer kundentelefonnummer telefono msisdn handy_nr",
    CARD: "card_number cardNo cc_number creditCardNumber kreditkartennummer numero_tarjeta pan",
    LAST4: "card_last4 last_four cc_last_4 cardLast4",
    CVV: "cvv cvv2 cvc card_verification_code",
    IBAN: "iban bank_account_number kontonummer customerIban rekeningnummer",
    SSN: "ssn SSN social_security_number socialSecurityNo",
    NATIONAL_ID: "national_id tax_id passport_number personnummer codice_fiscale dni cpf pesel steuer_id nationalInsuranceNumber drivers_license",
    NAME: "first_name lastName FULL_NAME surname vorname Nachname prénom nombre apellidos cardholder_name",
    ADDRESS: "address street postcode zip shipping_address Straße anschrift plz direccion code_postal home_address_line2 addr1",
    BIRTH_DATE: "birth_date dob dateOfBirth geburtsdatum fecha_nacimiento date_naissance birthday",
    PASSWORD: "password passwd pwd password_hash userPassword kennwort mot_de_passe pin totp_secret",
    TOKEN: "api_key access_token refreshToken client_secret session_token secret",
    IP: "ip ip_address client_ip last_login_ip remote_addr ipv4",
    LOCATION: "latitude lng gps_position geo_point",
    SALARY: "salary base_salary gehalt annualSalary",
}
NOTHING = (
    "id created_at status description title body amount currency sku company username product_name table_name file_name email_verified email_sent_at "
    "phone_type address_id token_count password_changed_at is_email_confirmed panel species capacity subscription spinach mac_address wallet_address "
    "server_address email_template cap_rate via_route national_team secretary_count shipping tags stock ssnap"
)


@pytest.mark.parametrize(("data_class", "name"), [(c, name) for c, names in SAYS.items() for name in names.split()])
def test_names_that_say_what_they_hold(data_class: str, name: str) -> None:
    assert class_of_name(name, ColumnKind.TEXT) == data_class


@pytest.mark.parametrize("name", NOTHING.split())
def test_names_that_say_nothing(name: str) -> None:
    assert class_of_name(name, ColumnKind.TEXT) is None


def test_types_that_cannot_hold_it() -> None:
    assert class_of_name("email", ColumnKind.BOOL) is None
    assert class_of_name("email", ColumnKind.TIME) is None
    assert class_of_name("card_number", ColumnKind.NUMBER) == CARD
    assert class_of_name("dob", ColumnKind.TIME) == BIRTH_DATE
    assert class_of_name("client_ip", ColumnKind.NETWORK) == IP


def test_a_bare_name_is_somebodys_in_a_table_of_people() -> None:
    assert class_of_name("name", ColumnKind.TEXT, "shopCustomers") == NAME
    assert class_of_name("name", ColumnKind.TEXT, "products") is None


def test_words() -> None:
    assert words_of("customerEMail_2") == " customer e mail 2 "
    assert words_of("XMLHttpAdresse") == " xml http adresse "
    assert words_of('"odd.name" + größe') == " odd name groesse "


@pytest.mark.parametrize(
    ("comment", "data_class"),
    [
        ("Full card number, a leftover", CARD),
        ("E-mail address for receipts", EMAIL),
        ("US social security number, only of some", SSN),
        ("Date of birth", BIRTH_DATE),
        ("tagged [pii.health] by legal", "pii.health"),
        ("PII? see policy.md", None),
        ("When the order was sent", None),
        ("Settings; see the mail server's manual", None),
    ],
)
def test_comments(comment: str, data_class: str | None) -> None:
    assert class_of_comment(comment, ColumnKind.TIME if data_class == BIRTH_DATE else ColumnKind.TEXT) == data_class


def test_every_class_has_a_description_or_a_detector() -> None:
    assert not set(SAYS) - set(DESCRIPTIONS) - set(CONTENT_CLASSES)

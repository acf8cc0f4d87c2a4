"""What a source says of a person, and what of it is the provider's subject."""

from __future__ import annotations

from interpose.engine.provisioned import ProvisionedUser, Source


def test_which_field_is_the_subject() -> None:
    user = ProvisionedUser("1", "corporate", "zoe@example.com", "sub-zoe")
    assert Source("corporate").subject_of(user) == "sub-zoe"
    assert Source("corporate", "user_name").subject_of(user) == "zoe@example.com"
    assert Source("corporate").subject_of(ProvisionedUser("1", "corporate", "zoe@example.com")) == ""

"""Secrets at rest."""

import base64

import pytest
from photochanger_chassis.secret_box import Sealed, SecretBox, SecretsNotConfigured

OLD, NEW = b"o" * 32, b"n" * 32


def test_a_secret_opens_again_and_is_not_in_what_is_stored() -> None:
    sealed = SecretBox([NEW]).seal("canary", context="mine")
    assert SecretBox([NEW]).open(sealed, context="mine") == "canary"
    assert b"canary" not in sealed.ciphertext


def test_the_same_secret_is_never_sealed_alike() -> None:
    box = SecretBox([NEW])
    assert box.seal("canary", context="mine") != box.seal("canary", context="mine")


def test_a_secret_opens_in_its_own_context_only() -> None:
    sealed = SecretBox([NEW]).seal("canary", context="mine\x001")
    for context in ("mine\x002", "yours\x001", ""):
        with pytest.raises(SecretsNotConfigured):
            SecretBox([NEW]).open(sealed, context=context)


def test_a_changed_secret_does_not_open() -> None:
    sealed = SecretBox([NEW]).seal("canary", context="mine")
    changed = Sealed(
        sealed.secret_key_id, sealed.nonce, bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    )
    with pytest.raises(SecretsNotConfigured):
        SecretBox([NEW]).open(changed, context="mine")


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    before = SecretBox([OLD]).seal("canary", context="mine")
    both = SecretBox([NEW, OLD])
    assert both.open(before, context="mine") == "canary"
    assert both.seal("canary", context="mine").secret_key_id == both.newest != before.secret_key_id
    with pytest.raises(SecretsNotConfigured):
        SecretBox([NEW]).open(before, context="mine")


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(SecretsNotConfigured):
        SecretBox([]).seal("canary", context="mine")


# Sealed by the code that was the providers service's own, for `gemini` in version 3, under the key of 32 times `k`.
def test_what_was_stored_before_the_box_was_shared_still_opens() -> None:
    stored = Sealed(
        "ebb15fc14bdf83be",
        bytes.fromhex("487200a72d9f40296e92cedd"),
        bytes.fromhex("4afd4313628b82e61eb18c1dde1e0bd66d6c7bc76180d43c7a60"),
    )
    assert SecretBox([b"k" * 32]).open(stored, context="gemini\x003") == "canary-key"


@pytest.mark.parametrize("text", ["c2hvcnQ=", "no base64", base64.b64encode(NEW).decode()[:-2]])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="each key must be"):
        SecretBox.from_text(text)


def test_keys_come_in_either_alphabet_with_blanks_between() -> None:
    key = b"\xfb\xff" * 16
    text = f" {base64.b64encode(key).decode()} , {base64.urlsafe_b64encode(NEW).decode()} "
    assert SecretBox.from_text(text).newest == SecretBox([key]).newest

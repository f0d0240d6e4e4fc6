import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.errors import InvalidArgument
from photochanger_ingest.domain.errors import HashMismatch, InvalidHash
from photochanger_ingest.domain.form import (
    HashCheck,
    check_hash,
    dedupe_key,
    payload_digest,
    require_form,
)
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.settings import HashPolicy

CONTENT = b"a photo"
DIGESTS = frozenset(hashlib.new(name, CONTENT).hexdigest() for name in ("md5", "sha1", "sha256", "sha512"))
OTHER = hashlib.sha1(b"another photo").hexdigest()
STRICT = [HashPolicy.WARN, HashPolicy.ENFORCE]
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("policy", STRICT)
@pytest.mark.parametrize("digest", sorted(DIGESTS))
def test_each_digest_of_the_photo_matches_in_either_case(policy: HashPolicy, digest: str) -> None:
    assert check_hash(policy, digest, DIGESTS) is HashCheck.MATCH
    assert check_hash(policy, f" {digest.upper()}", DIGESTS) is HashCheck.MATCH


def test_another_digest_is_noted_under_warn_and_refused_under_enforce() -> None:
    assert check_hash(HashPolicy.WARN, OTHER, DIGESTS) is HashCheck.MISMATCH
    with pytest.raises(HashMismatch):
        check_hash(HashPolicy.ENFORCE, OTHER, DIGESTS)


@pytest.mark.parametrize("policy", STRICT)
@pytest.mark.parametrize("field", ["", "123456", "g" * 32, "a" * 33, "a" * 129])
def test_what_is_no_digest_is_refused(policy: HashPolicy, field: str) -> None:
    with pytest.raises(InvalidHash):
        check_hash(policy, field, DIGESTS)


@pytest.mark.parametrize("field", ["", "nonsense", OTHER, SHA256])
def test_under_ignore_the_field_is_not_looked_at(field: str) -> None:
    assert check_hash(HashPolicy.IGNORE, field, DIGESTS) is HashCheck.UNCHECKED


FIELDS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


@given(FIELDS, FIELDS)
def test_payloads_are_the_same_exactly_when_their_fields_are(
    one: dict[str, str], two: dict[str, str]
) -> None:
    same = payload_digest(one, sha256=SHA256, hash_field="a") == payload_digest(
        dict(reversed(two.items())), sha256=SHA256, hash_field="a"
    )
    assert same == (one == two)


def test_photo_and_hash_field_are_part_of_the_payload() -> None:
    first = payload_digest({}, sha256=SHA256, hash_field="a")
    assert first != payload_digest({}, sha256="b" * 64, hash_field="a")
    assert first != payload_digest({}, sha256=SHA256, hash_field="b")


def test_duplicates_are_told_apart_by_slot_version_and_photo() -> None:
    keys = {
        dedupe_key(SlotId("slot-001"), 1, sha256=SHA256),
        dedupe_key(SlotId("slot-002"), 1, sha256=SHA256),
        dedupe_key(SlotId("slot-001"), 2, sha256=SHA256),
        dedupe_key(SlotId("slot-001"), 1, sha256="b" * 64),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("fields", "sha256", "key", "field"),
    [
        ({str(number): "" for number in range(65)}, SHA256, "", "form_fields"),
        ({"long": "ы" * 40_000}, SHA256, "", "form_fields"),
        ({"nul": "a\x00b"}, SHA256, "", "form_fields"),
        ({}, "", "", "digests"),
        ({}, "A" * 64, "", "digests"),
        ({}, SHA256, "k" * 256, "idempotency_key"),
        ({}, SHA256, "with space", "idempotency_key"),
        ({}, SHA256, "ключ", "idempotency_key"),
    ],
)
def test_a_form_out_of_bounds_is_refused(fields: dict[str, str], sha256: str, key: str, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        require_form(fields, sha256=sha256, idempotency_key=key)
    assert [violation.field for violation in refused.value.field_violations] == [field]


def test_a_form_at_the_bounds_is_taken() -> None:
    require_form({str(number): "x" * 900 for number in range(64)}, sha256=SHA256, idempotency_key="~" * 255)

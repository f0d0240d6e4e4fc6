"""The fields of a camera's form."""

import pytest
from photochanger_gateway.domain.form import FieldReceived, FormFields
from photochanger_gateway.domain.refusals import InvalidRequest


def fields(*received: tuple[str, str], fallback: str | None = None) -> FormFields:
    form = FormFields(fallback_password=fallback)
    for name, value in received:
        form.take(FieldReceived(name, value))
    return form


def test_a_survey_with_several_answers_keeps_them_all() -> None:
    assert fields(("drink", "tea"), ("name", "Ann"), ("drink", "milk")).others == {
        "drink": "tea, milk",
        "name": "Ann",
    }


@pytest.mark.parametrize("name", ["password", "hash"])
def test_what_decides_a_request_comes_once(name: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        fields((name, "a"), (name, "b"))


def test_the_forms_password_goes_before_the_heads() -> None:
    assert fields(("password", "form"), fallback="head").password == "form"
    assert fields(fallback="head").password == "head"
    assert fields().password is None


def test_the_password_is_not_among_what_is_stored() -> None:
    assert fields(("password", "secret"), ("hash", "00")).others == {}

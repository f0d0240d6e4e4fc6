"""Slot settings against an operation's schema."""

import pytest
from jsonschema import Draft202012Validator
from photochanger_providers.application.settings_schema import checked_settings, model_of, rendered_settings
from photochanger_providers.domain.catalogue import JsonObject, Operation, OperationId, TemplateRole
from photochanger_providers.domain.errors import InvalidSettings
from photochanger_providers.drivers.registry import registered_drivers
from photochanger_providers.testing.scripted_driver import SCHEMA

OPERATION = Operation(
    OperationId("edit"),
    "Edit",
    SCHEMA,
    (TemplateRole("background", "Background", required=True, max_count=2),),
)
EVERY_OPERATION = [
    pytest.param(operation, id=f"{entry.info.id}.{operation.id}")
    for entry in registered_drivers()
    for operation in entry.info.operations
]


def test_defaults_are_filled_in_also_inside_objects() -> None:
    settings = checked_settings(OPERATION, {"prompt": "x", "size": {}}, ["background"])

    assert settings == {"prompt": "x", "model": "large", "strength": 40, "note": "", "size": {"ratio": "3:2"}}
    assert model_of(settings) == "large"


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({}, "settings.prompt", "is required"),
        ({"prompt": ""}, "settings.prompt", "must have at least 1 characters"),
        ({"prompt": 7}, "settings.prompt", "must be of type string"),
        ({"prompt": "x", "strength": 81}, "settings.strength", "must be at most 80"),
        ({"prompt": "x", "strength": True}, "settings.strength", "must be of type integer"),
        ({"prompt": "x", "model": "huge"}, "settings.model", "must be one of large, small"),
        ({"prompt": "x", "size": {"ratio": 1}}, "settings.size.ratio", "must be of type string"),
        ({"prompt": "x", "colour": 1}, "settings.colour", "is no setting here"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path_in_words(
    settings: JsonObject, field: str, words: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        checked_settings(OPERATION, settings, ["background"])

    (violation,) = caught.value.field_violations
    assert violation.field == field
    assert violation.description.startswith(words)


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ([], "a template image with the role 'background' is required"),
        (["background"] * 3, "at most 2 images may have the role 'background'"),
        (["background", "logo"], "'logo' is no role of this operation"),
    ],
)
def test_template_roles_are_checked(roles: list[str], words: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        checked_settings(OPERATION, {"prompt": "x"}, roles)

    assert [violation.description for violation in caught.value.field_violations] == [words]


def test_only_marked_settings_take_placeholders() -> None:
    rendered = rendered_settings(OPERATION, {"prompt": "{{a}}", "note": "{{a}}", "strength": 1}, {"a": "x"})

    assert rendered == {"prompt": "x", "note": "{{a}}", "strength": 1}


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_every_registered_schema_is_one_and_closed_and_its_defaults_fit(operation: Operation) -> None:
    schema = operation.settings_schema
    Draft202012Validator.check_schema(dict(schema))
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert isinstance(properties, dict)
    required = schema.get("required", [])
    assert isinstance(required, list)
    for name, rules in properties.items():
        assert isinstance(rules, dict)
        assert rules.get("title"), name
        if "default" in rules:
            assert not list(Draft202012Validator(rules).iter_errors(rules["default"])), name
        else:
            assert name in required, name

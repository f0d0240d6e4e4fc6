"""Checks slot settings against an operation's schema, fills its defaults in, renders its prompts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from photochanger_chassis.errors import FieldViolation

from photochanger_providers.domain.catalogue import JsonObject, JsonValue, Operation, TemplateRole
from photochanger_providers.domain.errors import InvalidSettings
from photochanger_providers.domain.prompt import render_prompt

PLACEHOLDERS: Final = "x-placeholders"


def checked_settings(operation: Operation, settings: JsonObject, template_roles: Sequence[str]) -> JsonObject:
    """Returns the settings with the schema's defaults filled in.

    Raises:
        InvalidSettings: they, or the template roles beside them, do not fit; one violation a field.
    """
    filled = _with_defaults(operation.settings_schema, settings)
    validator = Draft202012Validator(dict(operation.settings_schema))
    violations = [*_setting_violations(validator, filled), *_role_violations(operation, template_roles)]
    if violations:
        raise InvalidSettings(tuple(violations))
    return filled


def rendered_settings(operation: Operation, settings: JsonObject, fields: Mapping[str, str]) -> JsonObject:
    """Returns the settings with the placeholders of those strings filled that the schema allows them in."""
    properties = _mapping(operation.settings_schema.get("properties"))
    return {
        name: render_prompt(value, fields)
        if isinstance(value, str) and _mapping(properties.get(name)).get(PLACEHOLDERS) is True
        else value
        for name, value in settings.items()
    }


def model_of(settings: JsonObject) -> str:
    """Returns the model that settings name, or nothing where the operation has no such choice."""
    model = settings.get("model", "")
    return model if isinstance(model, str) else ""


def _with_defaults(schema: JsonObject, settings: JsonObject) -> JsonObject:
    filled = dict(settings)
    for name, part in _mapping(schema.get("properties")).items():
        rules = _mapping(part)
        value = filled.get(name)
        if name not in filled and "default" in rules:
            filled[name] = rules["default"]
        elif isinstance(value, Mapping):
            filled[name] = _with_defaults(rules, value)
    return filled


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def _setting_violations(validator: Draft202012Validator, settings: JsonObject) -> Iterable[FieldViolation]:
    errors = sorted(validator.iter_errors(settings), key=lambda error: error.json_path)
    # Each missing or unknown name is an error of its own, and each of these names them all.
    return dict.fromkeys(violation for error in errors for violation in _violations_of(error))


def _violations_of(error: ValidationError) -> Iterator[FieldViolation]:
    path = "settings" + error.json_path.removeprefix("$")
    wanted = error.validator_value
    match error.validator:
        case "required":
            present = cast("Mapping[str, object]", error.instance)
            for name in cast("Sequence[str]", wanted):
                if name not in present:
                    yield FieldViolation(f"{path}.{name}", "is required")
        case "additionalProperties":
            known = cast(
                "Mapping[str, object]", cast("Mapping[str, object]", error.schema).get("properties", {})
            )
            for name in cast("Mapping[str, object]", error.instance):
                if name not in known:
                    yield FieldViolation(
                        f"{path}.{name}", f"is no setting here; there are {', '.join(known)}"
                    )
        case "enum":
            choices = ", ".join(str(choice) for choice in cast("Sequence[object]", wanted))
            yield FieldViolation(path, f"must be one of {choices}")
        case "pattern":
            example = cast("Mapping[str, object]", error.schema).get("description", f"the pattern {wanted}")
            yield FieldViolation(path, f"does not fit: {example}")
        case keyword:
            yield FieldViolation(path, _IN_WORDS.get(str(keyword), "does not fit the schema").format(wanted))


_IN_WORDS: Final = {
    "type": "must be of type {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "uniqueItems": "must not repeat an entry",
}


def _role_violations(operation: Operation, given: Sequence[str]) -> Iterator[FieldViolation]:
    counts = Counter(given)
    known = {role.id: role for role in operation.template_roles}
    for name in sorted(counts.keys() - known.keys()):
        yield FieldViolation("template_roles", f"'{name}' is no role of this operation")
    for role in operation.template_roles:
        yield from _count_violations(role, counts[role.id])


def _count_violations(role: TemplateRole, count: int) -> Iterator[FieldViolation]:
    if role.required and count == 0:
        yield FieldViolation("template_roles", f"a template image with the role '{role.id}' is required")
    if 0 < role.max_count < count:
        yield FieldViolation(
            "template_roles", f"at most {role.max_count} images may have the role '{role.id}'"
        )

"""Options: what the schema offers is what the engine takes."""

import pickle

import jsonschema
import pytest
from photochanger_providers.local_engine import EDITS, InvalidOptions, Operation, options_schema, parse_edit


@pytest.mark.parametrize("operation", list(Operation))
def test_the_schema_is_valid_and_its_defaults_are_the_options(operation: Operation) -> None:
    schema = options_schema(operation)
    jsonschema.Draft202012Validator.check_schema(schema)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    defaults = {name: entry["default"] for name, entry in properties.items()}
    jsonschema.validate(defaults, schema)
    assert parse_edit(operation, defaults) == EDITS[operation]()


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        ("background_color", {"color": "red"}),
        ("background_color", {"color": "#12345"}),
        ("background_color", {"color": ["#123456"]}),
        ("background_blur", {"strength": 101}),
        ("background_blur", {"strength": -1}),
        ("background_blur", {"strength": True}),
        ("background_blur", {"strength": 5.5}),
        ("background_gradient", {"shape": "spiral"}),
        ("background_gradient", {"angle": 360}),
        ("sticker", {"longest_side": 100}),
        ("golden_hour", {"sun": "above"}),
        ("comic", {"ink": 3}),
    ],
)
def test_schema_and_options_refuse_the_same(operation: str, values: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, options_schema(Operation(operation)))
    with pytest.raises(InvalidOptions) as refusal:
        parse_edit(operation, values)
    assert refusal.value.field == next(iter(values))


def test_an_unknown_operation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidOptions, match="background_color"):
        parse_edit("make_me_a_star", {})


def test_edits_and_errors_travel_between_processes() -> None:
    edit = parse_edit("sticker", {"outline": 3})
    assert pickle.loads(pickle.dumps(edit)) == edit
    error = pickle.loads(pickle.dumps(InvalidOptions("color", "is odd")))
    assert (error.field, str(error)) == ("color", "Option 'color' is odd.")

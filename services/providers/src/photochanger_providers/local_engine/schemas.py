"""JSON Schemas of the operations' options, made for a settings form: titles, descriptions, defaults, bounds."""

from dataclasses import fields

from photochanger_providers.local_engine.options import EDITS, Operation, rule_of


def options_schema(operation: Operation) -> dict[str, object]:
    """Returns the JSON Schema (2020-12) of one operation's options. Every field is optional: each has a default."""
    edit = EDITS[operation]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "title": edit.title,
        "description": edit.summary,
        "additionalProperties": False,
        "properties": {
            option.name: {
                "title": rule_of(option).title,
                "description": rule_of(option).description,
                **rule_of(option).schema(),
                "default": option.default,
            }
            for option in fields(edit)
        },
    }

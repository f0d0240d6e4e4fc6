"""What a slot can ask of Gemini: operations, models, settings. As of November 2026 (ai.google.dev)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from photochanger_providers.domain.catalogue import (
    JsonObject,
    Operation,
    OperationId,
    ProviderId,
    ProviderInfo,
    TemplateRole,
)

MOST_TEMPLATES: Final = 13
"""`gemini-3-pro-image` takes 14 pictures; the photo is one of them."""

TAKES_IMAGE_SIZE: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "gemini-3.1-flash-image": True,
        "gemini-3.1-flash-lite-image": False,
        "gemini-3-pro-image": True,
        "gemini-2.5-flash-image": False,
    }
)
"""Known models, and whether they take `imageSize`. Of a model that is not here nothing is assumed."""

AUTO: Final = "auto"
_Ratio = Literal["auto", "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"]
_Size = Literal["auto", "1K", "2K", "4K"]
Threshold = Literal[
    "default", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"
]


def _threshold(what: str) -> object:
    return Field(
        title=f"Safety: {what}",
        description="How likely such content must be to be blocked. Blocking of pictures themselves stays on.",
    )


class GeminiSettings(BaseModel):
    """A slot's settings; their JSON Schema is made from this class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Annotated[
        str,
        Field(
            title="Prompt",
            description="What to do with the photo. {{field}} and {{field|default}} take the booth's fields.",
            # Of the prompt as the slot has it: with its placeholders filled it may be shorter or longer.
            json_schema_extra={
                "minLength": 1,
                "maxLength": 8000,
                "x-placeholders": True,
                "x-multiline": True,
            },
        ),
    ]
    model: Annotated[
        str,
        Field(
            title="Model",
            description="A model's name, as Google lists them; others than the examples are sent as they are.",
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
            examples=list(TAKES_IMAGE_SIZE),
        ),
    ] = "gemini-3.1-flash-image"
    aspect_ratio: Annotated[
        _Ratio, Field(title="Aspect ratio", description="Auto: the model picks, mostly that of the photo.")
    ] = "auto"
    image_size: Annotated[
        _Size,
        Field(title="Size", description="Auto: the model's own, 1K. Not every model has the choice."),
    ] = "auto"
    response: Annotated[
        Literal["image", "text_and_image"],
        Field(title="Answer", description="Whether the model may add words; they are not shown to anybody."),
    ] = "image"
    no_image_repeats: Annotated[
        int,
        Field(
            title="Repeats without a picture",
            description="How often the model is asked again when it says NO_IMAGE, as long as time is left.",
            ge=0,
            le=10,
        ),
    ] = 5
    no_image_pause_seconds: Annotated[float, Field(title="Pause between these, in seconds", ge=0, le=30)] = (
        3.0
    )
    max_input_side_px: Annotated[
        int,
        Field(
            title="Longest side sent, in pixels",
            description="Larger pictures are made smaller before they are sent. 0: sent as they are.",
            ge=0,
            le=16384,
        ),
    ] = 0
    safety_harassment: Annotated[Threshold, _threshold("harassment")] = "default"
    safety_hate_speech: Annotated[Threshold, _threshold("hate speech")] = "default"
    safety_sexually_explicit: Annotated[Threshold, _threshold("sexually explicit")] = "default"
    safety_dangerous_content: Annotated[Threshold, _threshold("dangerous content")] = "default"


def _schema() -> JsonObject:
    without_sizes = [model for model, takes in TAKES_IMAGE_SIZE.items() if not takes]
    # pydantic's schema is JSON by its contract, typed as loosely as JSON comes.
    schema = cast("dict[str, JsonObject]", GeminiSettings.model_json_schema())
    return {
        **{name: rule for name, rule in schema.items() if name not in {"title", "description"}},
        "if": {"properties": {"model": {"enum": without_sizes}}, "required": ["model"]},
        "then": {"properties": {"image_size": {"const": AUTO}}},
    }


INFO: Final = ProviderInfo(
    id=ProviderId("gemini"),
    title="Google Gemini",
    default_base_url="https://generativelanguage.googleapis.com/v1beta",
    operations=(
        Operation(
            id=OperationId("image_edit"),
            title="Edit by prompt",
            settings_schema=_schema(),
            template_roles=(TemplateRole("reference", "Reference picture", max_count=MOST_TEMPLATES),),
        ),
        Operation(
            id=OperationId("style_transfer"),
            title="Style of a picture",
            settings_schema=_schema(),
            template_roles=(
                TemplateRole("style", "Picture with the style", required=True, max_count=MOST_TEMPLATES),
            ),
        ),
    ),
)

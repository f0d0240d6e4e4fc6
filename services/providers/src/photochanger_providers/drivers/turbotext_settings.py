"""What a slot can ask of Turbotext, with the provider's rules of each field (turbotext.ru/photo_ai/docs/info)."""

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

STYLE_TRANSFER: Final = OperationId("style_transfer")
IMAGE_EDIT: Final = OperationId("image_edit")
IDENTITY_TRANSFER: Final = OperationId("identity_transfer")
STYLE_ROLE: Final = "style"
PERSON_ROLE: Final = "person"
_PROMPT_CHARS: Final = 4000
_AT_MOST_80_WORDS: Final = r"^\s*(\S+(\s+\S+){0,79})?\s*$"
_PROMPT_RULES: Final = {"maxLength": _PROMPT_CHARS, "x-placeholders": True, "x-multiline": True}


class TurbotextSettings(BaseModel):
    """What every operation has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    poll_interval_seconds: Annotated[
        float, Field(title="Pause between looks for the result, in seconds", ge=2, le=10)
    ] = 2.5


class EditSettings(TurbotextSettings):
    """Of `generate_image2image`."""

    prompt: Annotated[
        str,
        Field(
            title="Prompt",
            description="What to do with the photo. {{field}} and {{field|default}} take the booth's fields.",
            json_schema_extra={"minLength": 1, **_PROMPT_RULES},
        ),
    ]
    strength: Annotated[
        int, Field(title="Strength", description="How far from the photo the result may be.", ge=0, le=80)
    ] = 40
    scale: Annotated[
        float, Field(title="Scale", description="How closely the prompt is followed.", ge=0.1, le=20)
    ] = 7.5
    seed: Annotated[
        int, Field(title="Seed", description="0: another one for each photo.", ge=0, le=10_000_000_000)
    ] = 0
    negative_prompt: Annotated[
        str,
        Field(
            title="Negative prompt",
            description="What must not be in the picture, in at most 80 words.",
            json_schema_extra={"maxLength": 1000, "pattern": _AT_MOST_80_WORDS, "x-multiline": True},
        ),
    ] = ""
    original_language: Annotated[
        str,
        Field(title="Language of the prompt", description="Two letters, as in `ru`.", pattern=r"^[a-z]{2}$"),
    ] = "ru"


class StyleSettings(TurbotextSettings):
    """Of `mix_images`."""

    prompt: Annotated[
        str,
        Field(
            title="Description",
            description="Adds words to the picture whose style is taken. May be empty.",
            json_schema_extra={**_PROMPT_RULES},
        ),
    ] = ""


class IdentitySettings(TurbotextSettings):
    """Of `deepfake_photo`."""

    face_from: Annotated[
        Literal["photo", "template"],
        Field(
            title="Whose face is seen",
            description="photo: the guest's, in the template's scene. template: the template's, on the guest.",
        ),
    ] = "photo"
    face_restore: Annotated[bool, Field(title="Repair the face afterwards")] = False


def _schema(settings: type[TurbotextSettings]) -> JsonObject:
    # pydantic's schema is JSON by its contract, typed as loosely as JSON comes.
    schema = cast("JsonObject", settings.model_json_schema())
    return {name: rule for name, rule in schema.items() if name not in {"title", "description"}}


INFO: Final = ProviderInfo(
    id=ProviderId("turbotext"),
    title="Turbotext",
    default_base_url="https://www.turbotext.ru/api_ai",
    requires_public_media=True,
    operations=(
        Operation(
            id=STYLE_TRANSFER,
            title="Style of a picture",
            settings_schema=_schema(StyleSettings),
            template_roles=(TemplateRole(STYLE_ROLE, "Picture with the style", required=True),),
        ),
        Operation(id=IMAGE_EDIT, title="Edit by prompt", settings_schema=_schema(EditSettings)),
        Operation(
            id=IDENTITY_TRANSFER,
            title="Swap faces",
            settings_schema=_schema(IdentitySettings),
            template_roles=(TemplateRole(PERSON_ROLE, "Picture of the other person", required=True),),
        ),
    ),
)

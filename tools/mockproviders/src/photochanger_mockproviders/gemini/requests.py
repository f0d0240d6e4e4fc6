"""Reads a `generateContent` request as strictly as Google's transcoder and image models do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import pictures
from .errors import bad_field, invalid, unknown_field
from .models import ImageModel

Object = Mapping[str, object]

_REQUEST = frozenset(
    {"model", "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig",
     "cachedContent", "serviceTier", "store"}
)  # fmt: skip
_CONTENT = frozenset({"role", "parts"})
_PART_DATA = frozenset(
    {"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
     "codeExecutionResult"}
)  # fmt: skip
_PART = _PART_DATA | {"thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution"}
_BLOB = frozenset({"mimeType", "data"})
_GENERATION = frozenset(
    {"candidateCount", "stopSequences", "maxOutputTokens", "temperature", "topP", "topK", "seed",
     "responseMimeType", "responseSchema", "responseJsonSchema", "presencePenalty", "frequencyPenalty",
     "responseLogprobs", "logprobs", "enableEnhancedCivicAnswers", "responseModalities", "speechConfig",
     "thinkingConfig", "imageConfig", "mediaResolution"}
)  # fmt: skip
# The transcoder of this endpoint knows no output type, quality or people options: those are Vertex AI's.
_IMAGE_CONFIG = frozenset({"aspectRatio", "imageSize"})
_SAFETY = frozenset({"category", "threshold"})
_NUMBERS = ("temperature", "topP", "topK", "seed", "candidateCount", "maxOutputTokens")

INPUT_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
_TEXT_TYPES = frozenset({"text/plain", "application/json", "text/x.enum"})
_MODALITIES = frozenset({"TEXT", "IMAGE"})
_CATEGORIES = frozenset(
    f"HARM_CATEGORY_{name}"
    for name in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
)
_THRESHOLDS = frozenset(
    {"BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"}
)
_UNREADABLE = (
    "Unable to process input image. Please retry or report in"
    " https://developers.generativeai.google/guide/troubleshooting"
)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """One picture as it was sent: its label, and what its bytes really are."""

    mime_type: str
    sha256: str
    size_bytes: int
    actual: pictures.PictureInfo


@dataclass(frozen=True, slots=True)
class GeminiRequest:
    """What a request asked for, without the pictures' bytes."""

    part_kinds: tuple[str, ...] = ()
    prompt: str = ""
    images: tuple[ImagePart, ...] = ()
    generation_config: Object = field(default_factory=dict)
    safety_settings: tuple[tuple[str, str], ...] = ()
    modalities: tuple[str, ...] = ("TEXT", "IMAGE")
    aspect_ratio: str = ""
    image_size: str = ""


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """The request, with the bytes of its first picture to draw the answer from."""

    request: GeminiRequest
    photo: bytes | None


def parse(body: bytes, model: ImageModel) -> ParsedRequest:
    """Checks a body and takes it apart. Takes long for a large body: run it in a thread.

    Raises:
        ApiError: The provider would refuse this.
    """
    try:
        document: object = json.loads(body)
    except ValueError as error:
        raise invalid("Invalid JSON payload received. Unexpected token.") from error
    root = _object(document, "", _REQUEST)
    kinds: list[str] = []
    texts: list[str] = []
    images: list[ImagePart] = []
    photo: bytes | None = None
    for path, part in _parts(root):
        kind = _kind(part, path)
        kinds.append({"text": "text", "inlineData": "image"}.get(kind, kind))
        if kind == "text":
            texts.append(_text(part["text"], f"{path}.text"))
        elif kind == "inlineData":
            image, data = _image(part["inlineData"], f"{path}.inline_data")
            images.append(image)
            photo = data if photo is None else photo
    if len(images) > model.max_input_images:
        raise invalid(f"The model accepts at most {model.max_input_images} images per request.")
    config = _object(root.get("generationConfig", {}), "generation_config", _GENERATION)
    aspect_ratio, image_size = _image_options(config, model)
    request = GeminiRequest(
        part_kinds=tuple(kinds),
        prompt="\n".join(texts),
        images=tuple(images),
        generation_config=config,
        safety_settings=_safety(root),
        modalities=_modalities(config),
        aspect_ratio=aspect_ratio,
        image_size=image_size,
    )
    return ParsedRequest(request, photo)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _object(value: object, path: str, known: frozenset[str]) -> dict[str, object]:
    """Field names in camelCase, whichever of the two spellings was sent."""
    if not isinstance(value, dict):
        raise bad_field(path, f"Invalid value at '{path}': expected an object.")
    result: dict[str, object] = {}
    for name, item in value.items():
        camel = _camel(name)
        if camel not in known:
            raise unknown_field(name, path)
        if camel in result:
            raise bad_field(path, f"Invalid value at '{path}': field '{name}' is set twice.")
        result[camel] = item
    return result


def _list(value: object, path: str) -> list[object]:
    # A single object is accepted where a list is meant, as the transcoder does.
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise bad_field(path, f"Invalid value at '{path}': expected a list.")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise bad_field(path, f"Invalid value at '{path}' (TYPE_STRING), {json.dumps(value)}")
    return value


def _parts(root: Object) -> list[tuple[str, dict[str, object]]]:
    contents = _list(root.get("contents", []), "contents")
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    found: list[tuple[str, dict[str, object]]] = []
    for number, item in enumerate(contents):
        path = f"contents[{number}]"
        content = _object(item, path, _CONTENT)
        if content.get("role", "user") not in {"user", "model"}:
            raise invalid("Please use a valid role: user, model.")
        parts = _list(content.get("parts", []), f"{path}.parts")
        if not parts:
            raise invalid(f"* GenerateContentRequest.{path}.parts: contents.parts must not be empty.\n")
        for index, part in enumerate(parts):
            part_path = f"{path}.parts[{index}]"
            found.append((part_path, _object(part, part_path, _PART)))
    return found


def _kind(part: Object, path: str) -> str:
    kinds = [name for name in part if name in _PART_DATA]
    if len(kinds) > 1:
        raise bad_field(path, f"Invalid value at '{path}' (oneof), oneof field 'data' is already set.")
    if not kinds:
        raise invalid(f"* GenerateContentRequest.{path}.data: required oneof field 'data' must be set\n")
    return kinds[0]


def _image(value: object, path: str) -> tuple[ImagePart, bytes]:
    blob = _object(value, path, _BLOB)
    encoded = _text(blob.get("data", ""), f"{path}.data")
    data = _base64(encoded, f"{path}.data")
    mime_type = _text(blob.get("mimeType", ""), f"{path}.mime_type")
    if mime_type not in INPUT_TYPES:
        raise invalid(f"Unsupported MIME type: {mime_type}")
    try:
        actual = pictures.inspect(data)
    except ValueError as error:
        raise invalid(_UNREADABLE) from error
    return ImagePart(mime_type, hashlib.sha256(data).hexdigest(), len(data), actual), data


def _base64(text: str, path: str) -> bytes:
    # Protobuf's JSON takes both alphabets, with and without padding.
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError as error:
        message = f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{text[:16]}...\""
        raise bad_field(path, message) from error
    if not data:
        raise invalid(f"* GenerateContentRequest.{path}: required oneof field 'data' must be set\n")
    return data


def _image_options(config: Object, model: ImageModel) -> tuple[str, str]:
    path = "generation_config.image_config"
    for name in _NUMBERS:
        if name in config and (isinstance(config[name], bool) or not isinstance(config[name], int | float)):
            raise bad_field("generation_config", f"Invalid value at 'generation_config.{name}' (TYPE_FLOAT)")
    answer_type = _text(config.get("responseMimeType", "text/plain"), "generation_config.response_mime_type")
    if answer_type not in _TEXT_TYPES:
        raise invalid(
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are"
            " `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.\n"
        )
    options = _object(config.get("imageConfig", {}), path, _IMAGE_CONFIG)
    aspect_ratio = _text(options.get("aspectRatio", ""), f"{path}.aspect_ratio")
    if aspect_ratio and aspect_ratio not in model.aspect_ratios:
        raise invalid(
            f"* GenerateContentRequest.{path}.aspect_ratio: aspect_ratio must be one of"
            f" {', '.join(sorted(model.aspect_ratios))}.\n"
        )
    image_size = _text(options.get("imageSize", ""), f"{path}.image_size")
    if image_size and image_size not in model.image_sizes:
        raise invalid(f"Image size {image_size} is not supported for models/{model.name}.")
    return aspect_ratio, image_size


def _modalities(config: Object) -> tuple[str, ...]:
    path = "generation_config.response_modalities"
    chosen = config.get("responseModalities", ["TEXT", "IMAGE"])
    if not isinstance(chosen, list):
        raise bad_field(path, f"Invalid value at '{path}': expected a list.")
    for number, name in enumerate(chosen):
        if not isinstance(name, str) or name not in _MODALITIES:
            raise bad_field(
                f"{path}[{number}]",
                f"Invalid value at '{path}[{number}]'"
                " (type.googleapis.com/google.ai.generativelanguage.v1beta.GenerationConfig.Modality),"
                f" {json.dumps(name)}",
            )
    return tuple(chosen)


def _safety(root: Object) -> tuple[tuple[str, str], ...]:
    settings: list[tuple[str, str]] = []
    for number, item in enumerate(_list(root.get("safetySettings", []), "safety_settings")):
        path = f"safety_settings[{number}]"
        setting = _object(item, path, _SAFETY)
        for name, allowed in (("category", _CATEGORIES), ("threshold", _THRESHOLDS)):
            value = _text(setting.get(name, ""), f"{path}.{name}")
            if value not in allowed:
                raise bad_field(f"{path}.{name}", f"Invalid value at '{path}.{name}' {json.dumps(value)}")
        settings.append((str(setting["category"]), str(setting["threshold"])))
    return tuple(settings)

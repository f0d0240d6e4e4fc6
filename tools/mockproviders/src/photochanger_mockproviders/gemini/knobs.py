"""Everything a test can make the Gemini mock do."""

from __future__ import annotations

from enum import StrEnum


class GeminiKnob(StrEnum):
    """One oddity of the API each; values are the names used on the command line.

    All but `MODIFIERS` decide the answer's content, so a behaviour takes one of them, and any modifiers.
    """

    OK_PNG = "ok_png"
    OK_JPEG = "ok_jpeg"
    SNAKE_CASE_RESPONSE = "snake_case_response"
    THOUGHT_THEN_FINAL = "thought_then_final"
    THOUGHT_ONLY = "thought_only"
    TEXT_ONLY_STOP = "text_only_stop"
    NO_IMAGE = "no_image"
    IMAGE_SAFETY = "image_safety"
    PROHIBITED = "prohibited"
    PROMPT_BLOCKED = "prompt_blocked"
    CANDIDATES_MISSING = "candidates_missing"
    CONTENT_WITHOUT_PARTS = "content_without_parts"
    BAD_BASE64 = "bad_base64"
    HTTP_429_RETRYINFO = "429_retryinfo"
    HTTP_429_PER_DAY = "429_per_day"
    HTTP_429_BARE = "429_bare"
    HTTP_400_API_KEY_INVALID = "400_api_key_invalid"
    HTTP_404_MODEL = "404_model"
    HTTP_500 = "500"
    HTTP_503 = "503"
    HTTP_504 = "504"
    HTML_502 = "html_502"
    ERROR_AS_ARRAY = "error_as_array"
    SLOW = "slow"
    TRUNCATE_BODY = "truncate_body"
    UNKNOWN_FINISH_REASON = "unknown_finish_reason"
    # Beyond the provider notes' list, for the rest of their tables.
    FINISH_REASON = "finish_reason"
    MISLABELLED = "mislabelled"
    UNDECODABLE_IMAGE = "undecodable_image"
    BLANK_IMAGE = "blank_image"
    SAME_IMAGE = "same_image"
    HTTP_400_FAILED_PRECONDITION = "400_failed_precondition"
    HTTP_403 = "403"
    DISCONNECT = "disconnect"


MODIFIERS = frozenset(
    {
        GeminiKnob.SLOW,
        GeminiKnob.ERROR_AS_ARRAY,
        GeminiKnob.SNAKE_CASE_RESPONSE,
        GeminiKnob.TRUNCATE_BODY,
    }
)

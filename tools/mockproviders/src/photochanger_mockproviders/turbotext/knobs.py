"""Everything a test can make the Turbotext mock do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from ..script import Step


class TurbotextKnob(StrEnum):
    """One oddity of the API each; values are the names used on the command line.

    A behaviour is any set of them, decided when the job is created and kept for its whole life.
    """

    RECONNECT_N = "reconnect_n"
    RECONNECT_WITH_SUCCESS_FALSE = "reconnect_with_success_false"
    NEVER_READY = "never_ready"
    RESULT_TOP_LEVEL = "result_top_level"
    RESULT_IN_DATA = "result_in_data"
    RESULT_RELATIVE_PATH = "result_relative_path"
    QUEUEID_AS_STRING = "queueid_as_string"
    LIMIT = "limit"
    URL_ERROR = "url_error"
    PARAMS_ERROR = "params_error"
    FACE_NOT_DETECTED = "face_not_detected"
    QUALITY_LIMIT = "quality_limit"
    FORBIDDEN_CONTENT = "forbidden_content"
    MALFORMED_JSON = "malformed_json"
    HTML_200 = "html_200"
    HTTP_503_THEN_OK = "503_then_ok"
    DOWNLOAD_404_THEN_OK = "download_404_then_ok"
    DOWNLOAD_HTML = "download_html"
    SLOW = "slow"
    # Beyond the provider notes' list, for the rest of their tables.
    RESULT_IN_IMAGE_LIST = "result_in_image_list"
    BOOLEANS_AS_STRINGS = "booleans_as_strings"
    OTHER_ERROR = "other_error"
    NO_QUEUEID = "no_queueid"
    NO_IMAGE_LINK = "no_image_link"
    HTTP_403 = "403"
    HTTP_429 = "429"
    LOST_ANSWER = "lost_answer"
    FETCH_TWICE = "fetch_twice"
    FETCH_LATE = "fetch_late"
    SAME_IMAGE = "same_image"
    BLANK_IMAGE = "blank_image"


ERRORS: Mapping[TurbotextKnob, tuple[Step, str]] = MappingProxyType(
    {
        TurbotextKnob.LIMIT: (Step.CREATE, "LIMIT"),
        TurbotextKnob.URL_ERROR: (Step.CREATE, "url_error"),
        TurbotextKnob.PARAMS_ERROR: (Step.CREATE, "params_error"),
        TurbotextKnob.FACE_NOT_DETECTED: (Step.GET_RESULT, "face_not_detected"),
        TurbotextKnob.QUALITY_LIMIT: (Step.GET_RESULT, "quality_limit"),
        TurbotextKnob.OTHER_ERROR: (Step.GET_RESULT, "something went wrong"),
    }
)
"""Knobs that answer `success: false`: where by default, and with which text. The mock's choice of step."""

MOVABLE: Mapping[TurbotextKnob, Step] = MappingProxyType(
    {
        **{knob: step for knob, (step, _) in ERRORS.items()},
        TurbotextKnob.MALFORMED_JSON: Step.GET_RESULT,
        TurbotextKnob.HTML_200: Step.CREATE,
        TurbotextKnob.HTTP_503_THEN_OK: Step.CREATE,
        TurbotextKnob.HTTP_403: Step.CREATE,
        TurbotextKnob.HTTP_429: Step.CREATE,
        TurbotextKnob.LOST_ANSWER: Step.CREATE,
        TurbotextKnob.SLOW: Step.CREATE,
    }
)
"""Knobs that can happen at either request of a job (`at=`), and where they do by default."""

"""Local HTTP servers that behave as the Gemini and Turbotext APIs do, oddities included."""

from .gemini.knobs import GeminiKnob
from .gemini.mock import GeminiCall, GeminiMock
from .gemini.models import MODELS, RETIRED, ImageModel
from .gemini.requests import GeminiRequest, ImagePart
from .photo_host import PhotoHost
from .pictures import PictureFormat, fixed
from .script import Match, Step
from .server import Gate
from .turbotext.knobs import TurbotextKnob
from .turbotext.mock import Download, TurbotextCall, TurbotextMock
from .turbotext.photos import Fetch

__all__ = [
    "MODELS",
    "RETIRED",
    "Download",
    "Fetch",
    "Gate",
    "GeminiCall",
    "GeminiKnob",
    "GeminiMock",
    "GeminiRequest",
    "ImageModel",
    "ImagePart",
    "Match",
    "PhotoHost",
    "PictureFormat",
    "Step",
    "TurbotextCall",
    "TurbotextKnob",
    "TurbotextMock",
    "fixed",
]

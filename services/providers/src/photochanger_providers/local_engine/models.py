"""The model files and the LiteRT interpreters that run them.

Four files of Google's MediaPipe (Apache-2.0), set up by `tools/models/fetch.py`. They are read once and checked
against their digests: a model that is not the expected one would quietly give other pictures.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from photochanger_providers.local_engine.arrays import Floats
from photochanger_providers.local_engine.errors import ModelsMissing

MODEL_DIGESTS = {
    "selfie_segmentation.tflite": "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    "selfie_segmentation_landscape.tflite": "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
    "face_detection_short_range.tflite": "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    "face_detection_full_range_sparse.tflite": "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
}
"""SHA-256 of each file, as in `tools/models/manifest.json`."""


class Network(Protocol):
    """A model that answers one picture at a time. Not for use by two threads at once."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width the model takes, in pixels."""
        ...

    def run(self, picture: Floats) -> list[Floats]:
        """Returns the model's outputs, without their batch axis, for one picture of `input_size`."""
        ...


class LiteRtNetwork:
    """A TFLite model on one CPU thread."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        (entry,) = self._interpreter.get_input_details()
        self._input_index: int = entry["index"]
        _, height, width, _ = (int(length) for length in entry["shape"])
        self._input_size = (height, width)
        self._output_indices: list[int] = [entry["index"] for entry in self._interpreter.get_output_details()]

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width the model takes, in pixels."""
        return self._input_size

    def run(self, picture: Floats) -> list[Floats]:
        """Returns the model's outputs, without their batch axis."""
        self._interpreter.set_tensor(self._input_index, picture[np.newaxis])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._output_indices]


@dataclass(frozen=True, slots=True)
class Networks:
    """The four models the engine needs."""

    segmentation_square: Network
    segmentation_landscape: Network
    faces_near: Network
    faces_far: Network


def load_networks(folder: Path) -> Networks:
    """Loads the models from `folder`. Takes about 50 ms and 40 MB.

    Raises:
        ModelsMissing: A file is absent or is not the expected one.
    """
    return Networks(
        segmentation_square=_load(folder, "selfie_segmentation.tflite"),
        segmentation_landscape=_load(folder, "selfie_segmentation_landscape.tflite"),
        faces_near=_load(folder, "face_detection_short_range.tflite"),
        faces_far=_load(folder, "face_detection_full_range_sparse.tflite"),
    )


def _load(folder: Path, name: str) -> LiteRtNetwork:
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelsMissing(path, "cannot be read") from error
    if hashlib.sha256(content).hexdigest() != MODEL_DIGESTS[name]:
        raise ModelsMissing(path, "is not the expected file (its SHA-256 differs)")
    return LiteRtNetwork(content)

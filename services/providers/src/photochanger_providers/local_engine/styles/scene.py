"""What a style knows about the photo it restyles."""

from dataclasses import dataclass

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Box, Floats


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the people and their faces are, at the working size; without people the mask is empty."""

    mask: Floats
    faces: tuple[Box, ...]

    def people(self, width: int, height: int) -> Floats:
        """Returns the people's soft mask at another size."""
        return np.asarray(cv2.resize(self.mask, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def gentleness(self, width: int, height: int) -> Floats:
        """Returns 1 on the faces falling softly to 0 around them, at another size."""
        scale = width / self.mask.shape[1]
        soft = np.zeros((height, width), np.float32)
        for face in self.faces:
            box = face.scaled(scale)
            centre = ((box.left + box.right) // 2, (box.top + box.bottom) // 2)
            alone = np.zeros((height, width), np.float32)
            cv2.ellipse(
                alone,
                centre,
                (max(round(box.width * 0.55), 1), max(round(box.height * 0.65), 1)),
                0,
                0,
                360,
                1.0,
                -1,
            )
            reach = max(round(box.width * 0.18), 1)
            np.maximum(soft, cv2.blur(cv2.blur(alone, (reach, reach)), (reach, reach)), out=soft)
        return soft

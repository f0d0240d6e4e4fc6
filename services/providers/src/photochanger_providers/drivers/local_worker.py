"""The process the `local` driver runs edits in: one JSON object a line in, one out. It ends with its input.

A process of its own, because an edit keeps a core busy and takes hundreds of megabytes for a large photo:
neither may touch the loop, and a picture that crashes a decoder takes nothing else along.

    python -m photochanger_providers.drivers.local_worker MODELS_DIR
    <- {"operation": "background_blur", "options": {"strength": 50}, "photo": "/tmp/1.jpg", "template": null,
        "target": "/tmp/2"}
    -> {"content_type": "image/jpeg"} or {"problem": "bad_input", "message": "…"}
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from photochanger_providers.local_engine import (
    InvalidOptions,
    ModelsMissing,
    NoPersonFound,
    UnreadablePhoto,
    UnreadableTemplate,
    edit_file,
    parse_edit,
)

BAD_INPUT: Final = "bad_input"
CONFIG: Final = "config"


def main() -> None:
    """Serves edits until the input ends."""
    # What libraries print must not end up among the answers.
    answers = sys.stdout
    sys.stdout = sys.stderr
    models = Path(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = _edit(models, json.loads(line))
        except (NoPersonFound, UnreadablePhoto) as error:
            answer = {"problem": BAD_INPUT, "message": str(error)}
        except (InvalidOptions, UnreadableTemplate, ModelsMissing) as error:
            answer = {"problem": CONFIG, "message": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


def _edit(models: Path, request: Mapping[str, object]) -> dict[str, str]:
    options, template = request["options"], request["template"]
    if not isinstance(options, Mapping):
        raise TypeError("options must be an object")
    edited = edit_file(
        models,
        Path(str(request["photo"])),
        Path(str(request["target"])),
        parse_edit(str(request["operation"]), options),
        template=Path(str(template)) if template is not None else None,
    )
    return {"content_type": edited.content_type}


if __name__ == "__main__":
    main()

"""Editing by path in a process of its own."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import pytest
from photochanger_providers.local_engine import NoPersonFound, edit_file, parse_edit
from photochanger_providers.local_engine.arrays import Bytes8


def test_a_worker_process_edits_by_path_and_names_its_errors(
    models: Path, photos: Path, scenery: Bytes8, tmp_path: Path
) -> None:
    empty, target = tmp_path / "empty.png", tmp_path / "edited.jpg"
    cv2.imwrite(str(empty), scenery)
    edit = parse_edit("background_blur", {})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        edited = pool.submit(edit_file, models, photos / "portrait-512.png", target, edit).result()
        assert (edited.content_type, edited.width_px, edited.height_px) == ("image/jpeg", 512, 512)
        assert target.stat().st_size == edited.size_bytes
        target.unlink()
        with pytest.raises(NoPersonFound):
            pool.submit(edit_file, models, empty, target, edit).result()
    assert not target.exists()

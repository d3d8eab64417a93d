# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of ``module_utils``: the imports between them, and their size."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ansible_collections
import pytest

MODULE_UTILS = next(
    folder
    for root in ansible_collections.__path__
    if (folder := Path(root, "imagestore", "swift", "plugins", "module_utils")).is_dir()
)

# A package may import from those to its right. The last two do not import each other; all may import root files.
ORDER = ("_ansible", "_operations", "_transfer", "_storage", "_swift", "_source", "_model")
ALLOWED = {package: set(ORDER[number:]) for number, package in enumerate(ORDER)}
ALLOWED["_source"].discard("_model")
ALLOWED["."] = set()

FILES = sorted(MODULE_UTILS.rglob("*.py"))


def package_of(path: Path) -> str:
    """Return the package that a file lies in, ``.`` for a root file."""
    return str(path.parent.relative_to(MODULE_UTILS))


def imported_packages(path: Path) -> Iterator[str]:
    """Yield the packages that a file imports from by a relative import."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1]
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                target = base.joinpath(*str(name).split("."))
                yield package_of(target / "__init__.py" if target.is_dir() else target)


def test_all_packages_are_known() -> None:
    assert {package_of(path) for path in FILES} == set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MODULE_UTILS)))
def test_a_package_imports_only_from_lower_layers(path: Path) -> None:
    package = package_of(path)
    wrong = {target for target in imported_packages(path) if target not in (package, ".", *ALLOWED[package])}
    assert not wrong, f"{path.name} in {package} imports from {', '.join(sorted(wrong))}"


def test_no_file_is_too_long() -> None:
    assert [path.name for path in FILES if len(path.read_text("utf-8").splitlines()) > 400] == []


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_no_package_has_too_many_files(package: str) -> None:
    files = list((MODULE_UTILS / package).glob("*.py"))
    assert len(files) <= (5 if package == "." else 12)


def test_no_file_is_named_like_a_package() -> None:
    assert [path.name for path in MODULE_UTILS.glob("*.py") if path.with_suffix("").is_dir()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MODULE_UTILS)))
def test_no_class_is_too_long(path: Path) -> None:
    classes = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef))
    assert [node.name for node in classes if int(node.end_lineno or 0) - node.lineno >= 250] == []


def test_contributing_names_every_file() -> None:
    rows = {}
    for line in (MODULE_UTILS.parents[1] / "CONTRIBUTING.md").read_text("utf-8").splitlines():
        found = re.match(r"\| `?(?P<package>root|_[a-z]+)/?`? \| (?P<files>.*)", line)
        if found:
            rows[found["package"].replace("root", ".")] = set(re.findall(r"`([a-z_]+)`", found["files"]))
    for package in ALLOWED:
        names = {path.stem for path in (MODULE_UTILS / package).glob("*.py")}
        assert names - rows[package] == set(), f"CONTRIBUTING.md does not name these files of {package}"

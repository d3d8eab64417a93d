# Copyright (c) 2026, the imagestore.swift authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make docs``: the modules' pages and the guides as HTML, as docs.ansible.com shows them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import collection
from console import Failure, run_to_log, say
from environments import BUILD, clean_environ, environment

TITLE = "imagestore.swift"
# Warnings about the pages of Ansible itself and of other collections, which Sphinx fetches if there is a network.
OUTSIDE = re.compile(
    r"undefined label: '(ansible_configuration_settings|action_plugins|common_return_values|ansible_collections\."
    r"(ansible\.builtin|openstack\.cloud)\..*)'|intersphinx|inventories|Max retries|HTTPSConnectionPool"
)


def main() -> int:
    """Build the pages, and print their path."""
    folder = BUILD / "docs"
    if folder.exists():
        shutil.rmtree(folder)
    site = folder / "site"
    site.mkdir(parents=True)
    copy = collection.copy_to(folder)
    env = {**clean_environ(environment("docs")), "ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])}
    made = ["antsibull-docs", "sphinx-init", "--use-current", "--lenient", "--squash-hierarchy", "--fail-on-error"]
    made += ["--project", TITLE, "--title", TITLE, "--html-short-title", TITLE, "--copyright", f"the {TITLE} authors"]
    run_to_log([*made, "--dest-dir", site, TITLE], folder / "init.log", "antsibull-docs can't begin", env)
    _let_titles_wrap(site)
    log = folder / "build.log"
    say("Building the pages")
    run_to_log([site / "build.sh"], log, "the pages can't be built: correct the documentation", env)
    lines = [line for line in log.read_text("utf-8").splitlines() if "WARNING" in line or "ERROR" in line]
    wrong = [line for line in lines if not OUTSIDE.search(line)]
    if wrong:
        raise Failure("\n".join(["the documentation has mistakes:", *wrong]))
    say(f"The pages are there: {site / 'build' / 'html' / 'index.html'}")
    return 0


def _let_titles_wrap(site: Path) -> None:
    """Let titles wrap: a module's full name is one long word, wider than a telephone's screen."""
    (site / "_static").mkdir(exist_ok=True)
    (site / "_static" / "titles.css").write_text("h1 { overflow-wrap: anywhere; }\n", encoding="utf-8")
    with (site / "conf.py").open("a", encoding="utf-8") as settings:
        settings.write('\nhtml_static_path = ["_static"]\nhtml_css_files = ["titles.css"]\n')

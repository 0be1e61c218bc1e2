"""The documentation builds into a site, strictly, and nothing in it is loaded from elsewhere."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import COMMANDS

pytest.importorskip("mkdocs")
ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("docs_hooks", DOCS / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return target


class Loaded(HTMLParser):
    """Collects the addresses of what a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        loads = tag in ("script", "img", "iframe", "source")
        loads |= given.get("rel") in ("stylesheet", "icon", "preconnect")
        self.found += [given[key] for key in ("src", "href") if loads and given.get(key)]


def test_every_page_is_in_the_site_and_in_its_navigation(site):
    home = (site / "index.html").read_text()
    for page in DOCS.glob("*.md"):
        built = f"{page.stem}.html"
        assert (site / built).is_file()
        assert f'href="{built}"' in home or page.name == "index.md", f"{page.name} is not in the navigation"
    assert (site / "datasets.html").is_file()


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(page.read_text())
        assert loaded.found
        elsewhere = [address for address in loaded.found if re.match(r"(\w+:)?//", address)]
        assert not elsewhere, f"{page.name} loads {elsewhere}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )['\"]?(https?:)?//", sheet.read_text())


def test_every_public_name_is_documented(site, hooks):
    assert set(hooks.public_names("rc_vs_snn")) == set(rv.__all__)
    python, plugins = (site / "reference.html").read_text(), (site / "reference_plugins.html").read_text()
    for name in rv.__all__:
        assert f'id="rc_vs_snn.{name}"' in python
    public = (DOCS / "architecture.md").read_text().partition("## The public surface")[2]
    for module in re.findall(r"<!-- public: ([\w.]+) -->", (DOCS / "reference_plugins.md").read_text()):
        assert f"`{module}`" in public or f"`{module.removeprefix('rc_vs_snn.')}`" in public, module
        for name in hooks.public_names(module):
            path = hooks.documented_above(module, name) or f"{module}.{name}"
            assert f'id="{path}"' in plugins or f'id="{path}"' in python, path


def test_the_help_of_every_command_is_there(site, hooks):
    page = (site / "command_line.html").read_text()
    assert set(hooks.command_names()) >= set(COMMANDS)
    for name in hooks.command_names():
        assert f"usage: rc-vs-snn {name} " in page
        assert hooks.help_of(name).startswith(f"usage: rc-vs-snn {name} ")


def test_make_builds_it():
    assert re.search(
        r"^docs: .*\n\t\$\(BIN\)/mkdocs build --strict$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert "/site/" in (ROOT / ".gitignore").read_text().splitlines()

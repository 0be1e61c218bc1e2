"""What the site has beyond the pages here: corpora, public names, the help of every command."""

import contextlib
import importlib
import io
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

HERE = Path(__file__).parent
CORPORA = "datasets.md"
"""datasets/README.md as a page of the site."""


def on_files(files: Files, config: Any) -> Files:
    """Add the page of corpora, which lies beside them."""
    text = (HERE.parent / "datasets" / "README.md").read_text(encoding="utf-8").replace("](../docs/", "](")
    files.append(File.generated(config, CORPORA, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links to the corpora at their page, unlink what is no page, fill in public names and help."""
    markdown = markdown.replace("](../datasets/README.md)", f"]({CORPORA})")
    markdown = re.sub(r"\[([^\]]+)\]\(\.\./[^)]+\)", r"\1", markdown)
    markdown = re.sub(r"<!-- public: ([\w.]+) -->", lambda found: _documented(found[1]), markdown)
    if page.file.src_uri == "command_line.md":
        markdown += "".join(f"\n## {name}\n\n```text\n{help_of(name)}\n```\n" for name in command_names())
    return markdown


def _documented(module: str) -> str:
    """Return what documents a module's names; what a package above it has stands there, and is linked."""
    links, documented = [], []
    for name in public_names(module):
        above = documented_above(module, name)
        if above is None:
            documented.append(f"::: {module}.{name}")
        else:
            links.append(f"[{name}][{above}]")
    return "\n\n".join([*([f"Also here: {', '.join(links)}."] if links else []), *documented])


def documented_above(module: str, name: str) -> str | None:
    """Return the path under which a package above a module has the same thing, or None."""
    parts = module.split(".")
    for package in (".".join(parts[:count]) for count in range(1, len(parts))):
        if name in public_names(package):
            return f"{package}.{name}"
    return None


def public_names(module: str) -> list[str]:
    """Return what a module offers: its ``__all__``, or the functions and classes that it defines."""
    found = importlib.import_module(module)
    defined = [
        name for name, value in vars(found).items()
        if getattr(value, "__module__", None) == module and not name.startswith("_")
    ]  # fmt: skip
    return list(getattr(found, "__all__", defined))


def command_names() -> list[str]:
    """Return every command, such as "compare", and "show samples" where one has commands of its own."""
    from rc_vs_snn import cli

    return [*cli.COMMANDS, *(f"show {name}" for name in cli.SHOW)]


def help_of(name: str) -> str:
    """Return what a command's ``--help`` prints."""
    from rc_vs_snn.cli import main

    out = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main([*name.split(), "--help"])
    os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())

"""Running what a page of the documentation says: its files, its Python and its commands, in their order.

A block with a title is a file, written where the page is run; Python without one runs, in one namespace for
the whole page; every line of a shell block, and every indented line that starts with a command, is run. A
block behind ``<!-- needs corpora -->`` runs only where the corpora are. Other languages are what is shown.
"""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
RUNNABLE = ("python", "sh")
COMMANDS = ("rc-vs-snn", "make", "pip")
NEEDS_CORPORA = "<!-- needs corpora -->"

_FENCE = re.compile(r"^```(\w*) *([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^    ((?:[A-Z_]+=\S+ +)*(?:rc-vs-snn|make) .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Something on a page that a reader can use.

    Attributes:
        language: of the fence; "sh" for an indented command.
        title: the file that it is, or "".
        text: what stands in it.
        needs_corpora: whether real corpora have to be there.
        at: where on the page it is.
    """

    language: str
    title: str
    text: str
    needs_corpora: bool
    at: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = [
        Block(match[1], _title(match[2]), match[3], _marked(text, match.start()), match.start())
        for match in _FENCE.finditer(text)
    ]
    fenced = [(match.start(), match.end()) for match in _FENCE.finditer(text)]
    for match in _INDENTED.finditer(text):
        if not any(start < match.start() < end for start, end in fenced):
            block = Block("sh", "", match[1], _marked(text, match.start()), match.start())
            found.append(block)
    return sorted(found, key=lambda block: block.at)


def _title(info: str) -> str:
    match = re.search(r'title="([^"]+)"', info)
    return match[1] if match else ""


def _marked(text: str, at: int) -> bool:
    return text[:at].rstrip().endswith(NEEDS_CORPORA)


def is_run(block: Block) -> bool:
    return not block.title and block.language in RUNNABLE


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the commands of a shell block as words, without variables set in front of them."""
    for line in block.text.splitlines():
        words = shlex.split(os.path.expandvars(line), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words:
            yield words

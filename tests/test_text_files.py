"""Text is UTF-8 whatever the locale: no file of the package is opened in the locale's own encoding."""

import ast
from pathlib import Path

import rc_vs_snn

PACKAGE = Path(rc_vs_snn.__file__).parent


def in_the_locale(source):
    """Return the lines of a module on which text is read or written without naming its encoding."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            named = any(word.arg == "encoding" for word in node.keywords)
            modes = [value.value for value in (*node.args, *(word.value for word in node.keywords))
                     if isinstance(value, ast.Constant) and isinstance(value.value, str)]  # fmt: skip
            binary = any("b" in mode for mode in modes if len(mode) <= 3)
            of_os = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in (
                "os",
                "gzip",
            )
            if name in ("read_text", "write_text") and not named:
                found.append(node.lineno)
            if name == "open" and not (named or binary or of_os):
                found.append(node.lineno)
    return found


def test_the_search_finds_what_it_is_for():
    assert in_the_locale("a.read_text()\nopen(p)\np.open('w')\n") == [1, 2, 3]
    assert in_the_locale("a.read_text(encoding='utf-8')\nopen(p, 'rb')\np.open(encoding='utf-8')\n") == []


def test_no_text_is_read_or_written_in_the_encoding_of_the_locale():
    modules = sorted(PACKAGE.rglob("*.py"))
    assert len(modules) > 100
    found = {
        str(path.relative_to(PACKAGE)): in_the_locale(path.read_text(encoding="utf-8")) for path in modules
    }
    assert {name: lines for name, lines in found.items() if lines} == {}

"""Everything that the pages in docs/ say runs (``pages.py`` tells how), unless a page has its own test."""

import contextlib
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installing import installed_into
from pages import COMMANDS, DOCS, ROOT, Block, blocks, commands, is_run

import rc_vs_snn as rv
from rc_vs_snn import cli, registry
from rc_vs_snn.cli import main, making
from rc_vs_snn.experiment.parts import check_config

PACKAGE = ROOT / "tests" / "external_parts"
PARTS = {"evidences": "smoothed", "rules": "not-before", "models": "integrator", "objectives": "focal",
         "metrics": "hesitation", "figures": "error-curve"}  # fmt: skip
SMALL = ["--set", "training.epochs=1"]
FIRST = ["--set", "training.epochs=15"]  # of runs/digits: enough for exits to be set on it
ONE_FIGURE = ("accuracy-vs-decision-step",)


def run_elsewhere():
    """Return the pages that another test names with their folder, and so runs."""
    others = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path.name not in HERE]
    return {name for text in others for name in re.findall(r"docs\"? ?/ ?\"?(\w+\.md)", text)}


HERE = (Path(__file__).name, "test_docs_site.py", "test_run_folder_page.py")
PAGES = sorted(
    page.name
    for page in DOCS.glob("*.md")
    if any(map(is_run, blocks(page))) and page.name not in run_elsewhere()
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that the package of one part of each kind is installed into, without a network."""
    return installed_into(tmp_path_factory, PACKAGE)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """What `rc-vs-snn compare` leaves in runs/digits, but for the figures; little trained."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "draw_finished", lambda *arguments, **options: None)
        assert main(["compare", *FIRST, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch, digits):
    """A folder like a checkout, with the first command's runs; what is trained and drawn is cut short."""
    for name in ("analysis", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "runs").mkdir()
    shutil.copytree(digits, tmp_path / "runs" / "digits")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    real_compare, real_figures = rv.compare, rv.write_figures

    def compare(comparison, *arguments, **options):
        return real_compare(comparison.with_training(epochs=1), *arguments, **options)

    def write_figures(records, out, *, only=ONE_FIGURE, **options):
        return real_figures(records, out, only=only, **options)

    monkeypatch.setattr(rv, "compare", compare, raising=False)
    monkeypatch.setattr(rv, "write_figures", write_figures, raising=False)
    monkeypatch.setattr(making, "draw_finished", lambda *arguments, **options: None)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:  # a page's own files; the next page may call its file the same
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@contextlib.contextmanager
def plugged_in(folder):
    """Let this process find the plug-ins of a folder that packages are installed into."""
    kinds = registry.KINDS.values()
    kept = [(kind, dict(kind._factories), dict(kind._broken), dict(kind._distributions)) for kind in kinds]
    sys.path.append(str(folder))
    importlib.invalidate_caches()
    try:
        for kind in kinds:
            kind.names()
            for point in importlib.metadata.entry_points(group=kind.group):
                if point.name not in kind._factories:
                    kind._add(point.name, point.load())
                    kind._distributions[point.name] = point.dist.name
        yield
    finally:
        sys.path.remove(str(folder))
        importlib.invalidate_caches()
        for kind, factories, broken, distributions in kept:
            kind._factories, kind._broken, kind._distributions = factories, broken, distributions


def shortened(arguments):
    """Return the arguments of a command with little to train, and that in this process."""
    if arguments[0] not in ("compare", "train", "tune") or "--pretrained" in arguments:
        return arguments
    if "--jobs" in arguments:  # of one run after another: worker processes have their own tests
        at = arguments.index("--jobs")
        arguments = arguments[:at] + arguments[at + 2 :]
    first = arguments in (["compare"], ["compare", "--out", "runs/digits"])
    drawn = ["--formats", "png"] if arguments[0] == "compare" and "--formats" not in arguments else []
    return [*arguments, *(FIRST if first else SMALL), *drawn]


class Reader:
    """Somebody who does what a page says, one block after another."""

    def __init__(self, page, installed, stack):
        self.page, self.installed, self.stack = page, installed, stack
        self.names = {"__name__": "somebody"}

    def does(self, block: Block):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, self.page.name, "exec"), self.names)
        elif block.language == "sh":
            for words in commands(block):
                self.gives(words)

    def gives(self, words):
        assert words[0] in COMMANDS, f"{self.page.name}: {' '.join(words)} is run by nothing"
        if words[0] == "pip":
            self.installs(words[1:])
        elif words[0] == "make":
            self.makes(words[1:])
        else:
            assert main(shortened(words[1:])) == 0, " ".join(words)

    def installs(self, words):
        if words == ["install", "./external_parts"]:
            self.stack.enter_context(plugged_in(self.installed))
        else:  # an extra of ours
            (extra,) = re.fullmatch(r"install rc_vs_snn\[(\w+)\]", " ".join(words)).groups()
            assert extra in importlib.metadata.metadata("rc_vs_snn").get_all("Provides-Extra")

    def makes(self, words):
        assert re.search(rf"^([\w ]* )?{words[0]}( [\w ]*)?:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        known = (ROOT / "benchmarks" / "__main__.py").read_text()
        for option in re.findall(r"--\w+", " ".join(words[1:])):
            assert f'"{option}"' in known


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_runs_in_its_order(name, place, installed, request, capsys):
    page = DOCS / name
    with contextlib.ExitStack() as stack:
        reader = Reader(page, installed, stack)
        for block in blocks(page):
            if not block.needs_corpora:
                reader.does(block)


NEEDS_CORPORA = [name for name in PAGES if any(block.needs_corpora for block in blocks(DOCS / name))]


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS_CORPORA)
def test_what_needs_corpora_runs_where_they_are(name, place, installed, data_root, monkeypatch, capsys):
    monkeypatch.setenv("RC_VS_SNN_DATA", str(data_root))
    with contextlib.ExitStack() as stack:
        reader = Reader(DOCS / name, installed, stack)
        for block in blocks(DOCS / name):
            if block.needs_corpora:
                reader.does(block)


def test_every_page_with_something_to_run_is_run():
    parts = ("a_model", "an_evidence", "a_rule", "an_objective", "a_metric", "a_figure")
    others = ("streaming.md", "speed.md", "tutorial.md", "grids_and_tuning.md")
    assert set(PAGES) >= {*others, *(f"add_{each}.md" for each in parts)}
    assert run_elsewhere() >= {"add_an_encoder.md", "add_a_dataset.md", "report.md"}


def test_commands_for_corpora_that_are_not_here_are_understood():
    """The page of corpora: what is asked for can be built, as far as that goes without the data."""
    found = [words for block in blocks(ROOT / "datasets" / "README.md") for words in commands(block)]
    assert len(found) == 2
    for words in found:
        _, bound, _ = cli._app().parse_args(words[1:], exit_on_error=False, print_error=False)
        for config in bound.arguments["source"].comparison().planned():
            check_config(config)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_commands_within_a_line_are_understood(page):
    for text in re.findall(r"`rc-vs-snn ([^`]+)`", page.read_text()):
        words = re.sub(r"\b[A-Z]+\b", "evaluate", text).split()  # what stands for anything
        if words[1:]:
            cli._app().parse_args(words, exit_on_error=False, print_error=False)
        else:
            assert words[0] in (*cli.COMMANDS, "show")


def test_pages_quote_the_package_as_it_is():
    quoted = set()
    for page in DOCS.glob("*.md"):
        for block in blocks(page):
            file = PACKAGE / block.title
            if block.title and file.is_file():
                assert block.text in file.read_text(), f"{page.name} and {file.name} have drifted apart"
                quoted.add(file.name)
    assert quoted >= {path.name for path in PACKAGE.glob("*.py")} - {"test_parts.py"}


def test_the_parts_of_an_installed_package_are_found_and_keep_their_promises(installed):
    """As a user has it, in a fresh interpreter: nothing of this process helps."""
    program = (
        "from rc_vs_snn import registry\n"
        f"for kind, name in {PARTS!r}.items():\n"
        "    found = getattr(registry, kind)\n"
        "    assert found.broken() == {}, found.broken()\n"
        "    assert found.distributions(name) == ['rc-vs-snn-parts'], name\n"
        "    assert found.summary(name).endswith('.'), name\n"
        "print(registry.evidences.check('smoothed', {'keeps': 1, 'keep': 'all'}))\n"
        "import test_parts\n"
        "test_parts.test_every_part_keeps_the_promises_of_its_kind()\n"
        "test_parts.test_hand_worked_hesitation()\n"
    )
    paths = os.pathsep.join([str(installed), str(PACKAGE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    assert "did you mean 'keep'?" in done.stdout
    assert "keep must be a number" in done.stdout

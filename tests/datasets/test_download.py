"""Downloads from a server on this computer's own loopback address; no test touches the network."""

import http.server
import io
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from rc_vs_snn.datasets import download
from rc_vs_snn.datasets import mnist as mnist_module
from rc_vs_snn.datasets.mnist import mnist
from rc_vs_snn.errors import InputError

Respond = Callable[[str], tuple[int, bytes, int]]  # file name -> status, body, promised length


@pytest.fixture
def serve(monkeypatch):
    """Return a function that starts a mirror; it returns the base URL and the list of requests."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRIES", 0)
    servers = []

    def start(respond: Respond) -> tuple[str, list[str]]:
        requests: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                requests.append(name)
                status, body, length = respond(name)
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/mnist/", requests

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def whole(files: dict[str, bytes]) -> Respond:
    return lambda name: (200, files[name], len(files[name]))


def corrupted(files: dict[str, bytes]) -> Respond:
    return lambda name: (200, b"x" * len(files[name]), len(files[name]))


def truncated(files: dict[str, bytes]) -> Respond:
    return lambda name: (200, files[name][:-20], len(files[name]))


def absent(_: dict[str, bytes]) -> Respond:
    return lambda _: (404, b"", 0)


@pytest.mark.usefixtures("published")
def test_missing_files_are_fetched_once(tmp_path, monkeypatch, serve, tiny_gz, capfd):
    mirror, requests = serve(whole(tiny_gz))
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(mirror,)))
    splits = mnist(tmp_path / "new" / "root", n_valid=5)
    assert len(splits.train) == 15
    assert sorted(requests) == sorted(tiny_gz)

    mnist(tmp_path / "new" / "root", n_valid=5)
    assert len(requests) == 4
    assert capfd.readouterr() == ("", "")  # no bar where stderr is not a terminal


@pytest.mark.usefixtures("published")
def test_a_terminal_shows_a_bar(tmp_path, monkeypatch, serve, tiny_gz):
    screen = io.StringIO()
    monkeypatch.setattr(download, "Console", lambda **_: Console(file=screen, force_terminal=True, width=120))
    mirror, _ = serve(whole(tiny_gz))
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(mirror,)))
    mnist(tmp_path, n_valid=5)
    size = len(tiny_gz["t10k-labels-idx1-ubyte.gz"])
    assert "t10k-labels-idx1-ubyte.gz" in screen.getvalue()
    assert f"{size}/{size} bytes" in screen.getvalue()


@pytest.mark.usefixtures("published")
def test_only_what_is_missing_is_fetched(tmp_path, monkeypatch, serve, write, tiny_gz, tiny_contents):
    mirror, requests = serve(whole(tiny_gz))
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(mirror,)))
    labels = "t10k-labels-idx1-ubyte"
    write(tmp_path, {name: content for name, content in tiny_contents.items() if name != labels})
    mnist(tmp_path, n_valid=5)
    assert requests == [labels + ".gz"]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("fault", [corrupted, truncated, absent])
def test_a_bad_mirror_falls_through_to_the_next(tmp_path, monkeypatch, serve, tiny_gz, fault):
    bad, bad_requests = serve(fault(tiny_gz))
    good, _ = serve(whole(tiny_gz))
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(bad, good)))
    mnist(tmp_path, n_valid=5)
    assert len(bad_requests) == 4
    assert sorted(path.name for path in (tmp_path / "mnist").iterdir()) == sorted(tiny_gz)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [(corrupted, "its md5 is not the published one"), (truncated, "IncompleteRead"), (absent, "404")],
)
def test_no_good_mirror_leaves_nothing_behind(tmp_path, monkeypatch, serve, tiny_gz, fault, reason):
    mirror, _ = serve(fault(tiny_gz))
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(mirror,)))
    with pytest.raises(InputError) as caught:
        mnist(tmp_path, n_valid=5)
    message = str(caught.value)
    assert "train-images-idx3-ubyte.gz could not be downloaded from any of" in message
    assert mirror in message
    assert reason in message
    assert f"into {tmp_path / 'mnist'}" in message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("published")
def test_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRIES", 0)
    monkeypatch.setattr(
        mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=("http://127.0.0.1:1/",))
    )  # nobody listens on port 1
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/ \(no connection\)"):
        mnist(tmp_path, n_valid=5)


@pytest.mark.usefixtures("published")
def test_a_mirror_is_tried_again(tmp_path, monkeypatch, serve, tiny_gz):
    attempts = []

    def hiccup(name: str) -> tuple[int, bytes, int]:
        attempts.append(name)
        status = 503 if len(attempts) == 1 else 200
        return status, tiny_gz[name], len(tiny_gz[name])

    mirror, _ = serve(hiccup)
    monkeypatch.setattr(download, "RETRIES", 1)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(mirror,)))
    mnist(tmp_path, n_valid=5)
    assert len(attempts) == 5


def test_download_off_asks_nobody(tmp_path, monkeypatch, serve, tiny_gz):
    mirror, requests = serve(whole(tiny_gz))
    monkeypatch.setattr(mnist_module, "MNIST", replace(mnist_module.MNIST, mirrors=(mirror,)))
    with pytest.raises(InputError, match="download is off"):
        mnist(tmp_path, download=False)
    assert requests == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_made_for_a_failed_download_is_removed_again(serve, tmp_path):
    mirror, _ = serve(lambda name: (404, b"", 0))
    with pytest.raises(InputError, match="could not be downloaded"):
        download.fetch("a.gz", "0" * 32, [mirror], tmp_path / "mnist")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mnist").mkdir()
    with pytest.raises(InputError, match="could not be downloaded"):
        download.fetch("a.gz", "0" * 32, [mirror], tmp_path / "mnist")
    assert (tmp_path / "mnist").is_dir()


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_download_that_ends_in_the_middle_leaves_no_half_file(serve, tmp_path, monkeypatch, fault, raised):
    content = bytes(200_000)
    mirror, _ = serve(lambda name: (200, content, len(content)))
    arrived = []

    def end_after_some(self, n_bytes):
        arrived.append(n_bytes)
        if sum(arrived) > 100_000:
            assert any(path.stat().st_size for path in (tmp_path / "mnist").iterdir())
            raise fault

    monkeypatch.setattr(download._Bar, "update", end_after_some)
    with pytest.raises(raised, match="No space left on device" if raised is InputError else None):
        download.fetch("a.gz", "0" * 32, [mirror], tmp_path / "mnist")
    assert list(tmp_path.iterdir()) == []

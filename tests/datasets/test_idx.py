import gzip
import hashlib
import tracemalloc

import numpy as np
import pytest

from rc_vs_snn.datasets.idx import parse_idx, read_idx
from rc_vs_snn.errors import InputError

# Two images of one row and three pixels, written out by hand.
HEADER = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3])
GOOD = HEADER + bytes([0, 1, 2, 253, 254, 255])
MD5 = hashlib.md5(GOOD).hexdigest()


def test_a_hand_written_file():
    array = parse_idx(GOOD, 3, "hand")
    assert array.dtype == np.uint8
    assert array.tolist() == [[[0, 1, 2]], [[253, 254, 255]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (bytes([0, 0, 8, 1]) + GOOD[4:], "begins with 00 00 08 01, expected 00 00 08 03; .*swapped"),
        (bytes([0, 0, 0x0D, 3]) + GOOD[4:], "not an idx file of unsigned bytes"),
        (b"\x1f\x8b\x08\x00 packed twice", "begins with 1f 8b 08 00"),
        (GOOD[:9], r"truncated within its header: 9 of 16 bytes"),
        (GOOD[:-1], r"is truncated: 5 bytes of values, expected 6 for the shape \(2, 1, 3\)"),
        (GOOD + b"x", r"has bytes left over: 7 bytes of values, expected 6"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(content, message):
    with pytest.raises(InputError, match=message):
        parse_idx(content, 3, "hand")


@pytest.mark.parametrize("level", [1, 9])
def test_a_file_may_be_plain_or_packed_anyhow(tmp_path, level):
    (tmp_path / "plain").write_bytes(GOOD)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(GOOD, level))
    for name in ("plain", "packed.gz"):
        assert read_idx(tmp_path / name, 3, MD5).shape == (2, 1, 3)


@pytest.mark.parametrize("damage", [lambda packed: packed[:-12], lambda _: GOOD, lambda _: b"<html>"])
def test_a_damaged_gzip_file(tmp_path, damage):
    path = tmp_path / "packed.gz"
    path.write_bytes(damage(gzip.compress(GOOD)))
    with pytest.raises(InputError, match=r"packed.gz is truncated or not a gzip file .*fetch it again"):
        read_idx(path, 3, MD5)


def test_a_sound_file_with_another_checksum(tmp_path):
    path = tmp_path / "plain"
    path.write_bytes(GOOD[:-1] + b"\x00")
    with pytest.raises(InputError, match=rf"plain is not the published file: .* expected {MD5}; delete"):
        read_idx(path, 3, MD5)


@pytest.mark.parametrize("content", [GOOD, b"no idx file", HEADER])
def test_no_more_is_unpacked_than_the_header_promises(tmp_path, content):
    """A few kilobytes that unpack to 200 MB: refused in little memory."""
    path = tmp_path / "packed.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(content)
        for _ in range(200):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    with pytest.raises(InputError):
        read_idx(path, 3, MD5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("name", ["plain", "packed.gz"])
def test_a_header_that_promises_more_than_any_file_can_hold(tmp_path, name):
    content = HEADER[:4] + bytes([0x7F, 255, 255, 255]) * 3 + b"x"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"is truncated: 1 bytes of values, expected 9903520300447984"):
        read_idx(tmp_path / name, 3, MD5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def deny(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "plain").write_bytes(GOOD)
    monkeypatch.setattr("pathlib.Path.open", deny)
    with pytest.raises(InputError, match=r"plain cannot be read \(Permission denied\)"):
        read_idx(tmp_path / "plain", 3, MD5)


def test_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(InputError, match=r"plain cannot be read \(Is a directory\)"):
        read_idx(tmp_path / "plain", 3, MD5)

"""The idx format of the MNIST files, gzipped or plain.

Source: the file format section of http://yann.lecun.com/exdb/mnist/
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from rc_vs_snn.errors import InputError

UNSIGNED_BYTE = 0x08
MOST_UNPACKED = 1032  # bytes that one byte of a gzip file can unpack to
FETCH_AGAIN = "delete the file and fetch it again"


def read_idx(path: Path, n_dims: int, md5: str) -> np.ndarray:
    """Read one idx file of unsigned bytes and check it against its published checksum.

    Args:
        path: the file; a name that ends in ``.gz`` is unpacked.
        n_dims: number of dimensions the file must have.
        md5: checksum of the unpacked content. A file compressed anew passes: its content is the same.

    Returns:
        A read-only uint8 array.

    Raises:
        InputError: the file cannot be read, is truncated, not an idx file of that kind, or has another
            checksum.
    """
    content = _unpack(path, n_dims)
    array = parse_idx(content, n_dims, str(path))
    got = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if got != md5:
        raise InputError(
            f"{path} is not the published file: its content has the md5 {got}, expected {md5}; {FETCH_AGAIN}"
        )
    return array


def parse_idx(content: bytes, n_dims: int, source: str) -> np.ndarray:
    """Interpret the content of an idx file of unsigned bytes.

    The header is two zero bytes, the type of the values, the number of dimensions and each
    dimension's length as a big-endian 32-bit integer; the values follow, last dimension fastest.

    Args:
        content: the whole file, unpacked.
        n_dims: number of dimensions it must have.
        source: what an error calls the file.

    Returns:
        A read-only uint8 array, a view of ``content``.

    Raises:
        InputError: on a wrong magic number or a wrong length.
    """
    header = _header(n_dims)
    expected = (0, 0, UNSIGNED_BYTE, n_dims)
    if content[:4] != bytes(expected):
        raise InputError(
            f"{source} is not an idx file of unsigned bytes with {n_dims} dimensions: it begins with "
            f"{content[:4].hex(' ') or 'nothing'}, expected {bytes(expected).hex(' ')}; "
            "check that images and labels are not swapped"
        )
    if len(content) < header.size:
        raise InputError(
            f"{source} is truncated within its header: {len(content)} of {header.size} bytes; {FETCH_AGAIN}"
        )
    shape = header.unpack_from(content)[4:]
    n_bytes = len(content) - header.size
    if n_bytes != math.prod(shape):
        fault = "is truncated" if n_bytes < math.prod(shape) else "has bytes left over"
        raise InputError(
            f"{source} {fault}: {n_bytes} bytes of values, expected {math.prod(shape)} "
            f"for the shape {shape} in its header; {FETCH_AGAIN}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header.size).reshape(shape)


def _header(n_dims: int) -> struct.Struct:
    return struct.Struct(f">4B{n_dims}I")


def _unpack(path: Path, n_dims: int) -> bytes:
    """Return the content; of what is left over after that one byte, which tells that there is some."""
    header = _header(n_dims)
    try:
        # What the header promises is read only as far as the file can hold it: a read reserves its memory.
        most = path.stat().st_size * (MOST_UNPACKED if path.suffix == ".gz" else 1)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(header.size)
            if len(head) < header.size or head[:4] != bytes((0, 0, UNSIGNED_BYTE, n_dims)):
                return head  # which the header's check refuses
            return head + file.read(min(math.prod(header.unpack(head)[4:]), most) + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise InputError(f"{path} is truncated or not a gzip file ({error}); {FETCH_AGAIN}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error

"""What a part given as code is: a hash of everything that it computes from.

A finished run may be handed back only for the very code that made it. The identity of a function covers its
compiled code, defaults, closure, and the globals that it names; that of an object its class and its fields;
each as far as it is the user's own. What lies in an installed package stands for itself by that package's
version.
"""

import functools
import hashlib
import sys
import sysconfig
import types
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rc_vs_snn.registry.paths import distributions_of

UNKNOWN = "unknown"
"""The identity of what cannot be identified: never that of a finished run."""

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), range, slice)
_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
_NO_CODE = (
    "__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__firstlineno__", "_abc_impl",
    "__dataclass_fields__", "__dataclass_params__",
)  # fmt: skip
_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))
_OURS = Path(__file__).resolve().parents[1]


_Seen = dict[int, tuple[int, Any]]
"""The number of every object met, by its id, and the object."""


def identity_of(value: Any) -> str:
    """Return a short hash of everything that a value computes from, or ``UNKNOWN``.

    Args:
        value: a function, class, object or plain value.
    """
    found = hashlib.sha256()
    try:
        for part in _parts(value, {}):
            found.update(part.encode("utf-8", "surrogatepass") + b"\x1f")
    except (_UnidentifiedError, RecursionError, ValueError):  # ValueError: a closure that is not filled yet
        return UNKNOWN
    return found.hexdigest()[:12]


class _UnidentifiedError(Exception):
    """Something in it has no identity."""


def _parts(value: Any, seen: _Seen) -> Iterator[str]:
    if isinstance(value, _PLAIN):
        yield f"{type(value).__name__} {value!r}"
        return
    if id(value) in seen:
        yield f"again {seen[id(value)][0]}"
        return
    seen[id(value)] = (len(seen), value)  # kept, or its id might become another's
    yield type(value).__name__
    if isinstance(value, types.ModuleType):
        yield _package(value.__name__) or _source(value)
    elif isinstance(value, _numpy("ndarray", "generic")):
        if value.dtype.hasobject:
            raise _UnidentifiedError
        yield f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _parts(key, seen)
            yield from _parts(entry, seen)
    elif isinstance(value, set | frozenset):
        yield from sorted("".join(_parts(entry, dict(seen))) for entry in value)
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _parts(entry, seen)
    elif isinstance(value, functools.partial):
        yield from _parts((value.func, value.args, value.keywords), seen)
    elif isinstance(value, types.MethodType):
        yield from _parts((value.__func__, value.__self__), seen)
    elif isinstance(value, staticmethod | classmethod):
        yield from _parts(value.__func__, seen)
    elif isinstance(value, property):
        yield from _parts((value.fget, value.fset), seen)
    elif isinstance(value, _numpy("ufunc")):
        yield f"{_package('numpy')} {value.__name__}"
    elif isinstance(value, type) or isinstance(getattr(value, "__qualname__", None), str):
        yield from _named(value, seen)
    else:
        yield from _object(value, seen)


def _numpy(*names: str) -> Any:
    """Return types of NumPy; where it is not loaded there are no values of them."""
    module = sys.modules.get("numpy")
    return tuple(getattr(module, name) for name in names) if module else ()


def _named(value: Any, seen: _Seen) -> Iterator[str]:
    """Yield the parts of a class or function: by its package's version, or by what is in it."""
    package = _package(value.__module__ or "builtins")
    if package is not None:
        yield f"{package} {value.__qualname__}"
    elif isinstance(value, types.FunctionType):
        yield from _code(value.__code__, seen)
        yield from _parts((value.__defaults__, value.__kwdefaults__), seen)
        yield from _parts([cell.cell_contents for cell in value.__closure__ or ()], seen)
        for name in sorted(_global_names(value.__code__) & value.__globals__.keys()):
            yield name
            yield from _parts(value.__globals__[name], seen)
    elif isinstance(value, type):
        yield from _parts(value.__bases__, seen)
        for name, entry in sorted(vars(value).items()):
            if name not in _NO_CODE and not isinstance(entry, _DESCRIPTORS):
                yield name
                yield from _parts(entry, seen)
    else:
        raise _UnidentifiedError


def _object(value: Any, seen: _Seen) -> Iterator[str]:
    """Yield the parts of an object: its class and its fields."""
    fields = getattr(value, "__dict__", None)
    slots = {name: getattr(value, name) for name in _slots(type(value)) if hasattr(value, name)}
    numpy = getattr(value, "numpy", None)
    if callable(numpy) and hasattr(value, "detach"):  # a tensor, without asking for torch
        fields, slots = {"values": value.detach().cpu().numpy()}, {}
    package = _package(type(value).__module__)
    if package is not None and (package.startswith(("python ", "built in ")) or not (fields or slots)):
        raise _UnidentifiedError  # what it keeps inside, only it can tell
    yield from _parts(type(value), seen)
    yield from _parts({**(fields or {}), **slots}, seen)


def _slots(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots


def _code(code: types.CodeType, seen: _Seen) -> Iterator[str]:
    yield f"{sys.version_info[:2]} {code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_flags}"
    for constant in code.co_consts:
        yield from _code(constant, seen) if isinstance(constant, types.CodeType) else _parts(constant, seen)


def _global_names(code: types.CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*map(_global_names, inner))


def _package(module: str) -> str | None:
    """Return the package of a module with its version, or None if the code is the user's own."""
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None)
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names and top != "__main__":
        return f"python {top}"
    if top in ("__main__", "__mp_main__") or found is None:
        return None
    if file is None:
        return f"built in {module}"
    path = Path(file).resolve()
    if path.is_relative_to(_OURS) or any(path.is_relative_to(folder) for folder in _INSTALLED):
        return f"{top} {' '.join(f'{name} {version(name)}' for name in distributions_of(top))}"
    return None


def _source(module: types.ModuleType) -> str:
    file = getattr(module, "__file__", None)
    if not file or not Path(file).is_file():
        raise _UnidentifiedError
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()

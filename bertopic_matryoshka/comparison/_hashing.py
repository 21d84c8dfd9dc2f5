"""Objects -> hashes that also depend on the code of functions and classes."""

from __future__ import annotations

import pickle
import struct
import sys
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from joblib.hashing import NumpyHasher

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSIONED = frozenset(
    {
        *("bertopic_matryoshka", "bertopic", "sentence_transformers", "torch", "sklearn", "numpy"),
        *("scipy", "umap", "hdbscan", "pynndescent", "numba", "cugraph", "graspologic_native"),
        *sys.stdlib_module_names,
    }
)
"""Packages whose versions are part of a key, so that their code need not be."""


def hash_with_code(value: Any) -> str:
    """Hash a value of any kind that can be pickled.

    As joblib.hash, but functions and classes of the user's own, at any depth, are told apart by
    their code, default values and closures, and by the functions and values that they refer to by
    name, and not by their own name alone.

    Raises
    ------
    pickle.PicklingError, TypeError, AttributeError
        If the value, or what its code refers to, cannot be pickled.
    """
    return str(_CodeHasher().hash(value))


class _CodeHasher(NumpyHasher):  # type: ignore[misc]
    dispatch = NumpyHasher.dispatch.copy()

    def __init__(self) -> None:
        super().__init__(hash_name="md5")
        self._hashed: set[int] = set()

    def save_global(self, obj: Any, name: str | None = None, pack: Any = struct.pack) -> None:
        """Hash a function or class: its name, and the first time its code."""
        package = (getattr(obj, "__module__", None) or "").partition(".")[0]
        if id(obj) not in self._hashed and package not in VERSIONED:
            self._hashed.add(id(obj))
            try:
                if isinstance(obj, FunctionType):
                    self._save_function(obj)
                elif isinstance(obj, type):
                    self._save_class(obj)
            except TypeError as error:  # joblib would try again, without this code
                raise pickle.PicklingError(str(error)) from error
        super().save_global(obj, name, pack)

    def _save_function(self, function: FunctionType) -> None:
        code = function.__code__
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        self.save([*_facts(code), function.__defaults__, function.__kwdefaults__, cells])
        for name in sorted(_names(code) & function.__globals__.keys()):
            value = function.__globals__[name]
            if isinstance(value, ModuleType):
                value = value.__name__, getattr(value, "__version__", None)
            self.save([name, value])

    def _save_class(self, cls: type) -> None:
        self.save(list(cls.__bases__))
        for name, value in sorted(vars(cls).items()):
            for function in _functions(value):
                self.save(name)
                self._save_function(function)
            if isinstance(value, (int, float, str, bytes, tuple)):
                self.save([name, value])


for _kind in (FunctionType, type):
    _CodeHasher.dispatch[_kind] = _CodeHasher.save_global


def _functions(value: Any) -> Iterable[FunctionType]:
    """List the functions of an attribute of a class."""
    found = [value, *(getattr(value, name, None) for name in ("__func__", "fget", "fset", "func"))]
    return [function for function in found if isinstance(function, FunctionType)]


def _facts(code: CodeType) -> list[Any]:
    """List what decides what code does, with the code of functions within it."""
    constants: list[Any] = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            constants.append(_facts(constant))
        elif isinstance(constant, frozenset):  # its order differs between processes
            constants.append(sorted(map(repr, constant)))
        else:
            constants.append(constant)
    return [code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants]


def _names(code: CodeType) -> set[str]:
    """Names that code, and the functions within it, may look up among the globals."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)

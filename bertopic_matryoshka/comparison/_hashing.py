"""Objects -> hashes that also depend on the code of functions and classes."""

from __future__ import annotations

import dis
import pickle
import struct
import sys
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
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

VALUES = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, np.ndarray)
"""Kinds of class attributes that are hashed besides functions."""


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
        if id(obj) not in self.memo:  # a class whose methods name it is written by now
            super().save_global(obj, name, pack)

    def _save_function(self, function: FunctionType) -> None:
        code = function.__code__
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        self.save([*_facts(code), function.__defaults__, function.__kwdefaults__, cells])
        for name in sorted(_names(code) & function.__globals__.keys()):
            self.save([name, _stable(function.__globals__[name])])

    def _save_class(self, cls: type) -> None:
        self.save(list(cls.__bases__))
        for name, value in sorted(vars(cls).items()):
            for function in _functions(value):
                self.save(name)
                self._save_function(function)
            if isinstance(value, VALUES) and not name.startswith("__"):
                self.save([name, _stable(value)])


for _kind in (FunctionType, type):
    _CodeHasher.dispatch[_kind] = _CodeHasher.save_global


def _stable(value: Any) -> Any:
    """Stand for a value whose pickle differs between processes, or that has none."""
    if isinstance(value, ModuleType):
        return value.__name__, getattr(value, "__version__", None)
    return sorted(map(repr, value)) if isinstance(value, (set, frozenset)) else value


def _functions(value: Any) -> Iterable[FunctionType]:
    """List the functions of an attribute of a class."""
    found = [value, *(getattr(value, name, None) for name in ("__func__", "fget", "fset", "func"))]
    return [function for function in found if isinstance(function, FunctionType)]


def _facts(code: CodeType) -> list[Any]:
    """List what decides what code does, with the code of functions within it."""
    constants: list[Any] = []
    for constant in code.co_consts:
        is_code = isinstance(constant, CodeType)
        constants.append(_facts(constant) if is_code else _stable(constant))
    return [code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants]


def _names(code: CodeType) -> set[str]:
    """Names that code, and the functions within it, look up among the globals."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    steps = dis.get_instructions(code)
    own = {step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*inner)

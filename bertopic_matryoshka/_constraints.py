"""Parameters -> the same, checked against declared constraints.

A constraint says once what a parameter must be, in the words of its errors. scikit-learn's own
(`sklearn.utils._param_validation`) are private, take True for 1, know one error for a wrong kind
and a wrong value, show a value at any length, and name no remedy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

LONGEST_SHOWN = 60
"""Number of characters of a value that an error shows."""


@dataclass(frozen=True)
class Constraint:
    """What a parameter must be.

    Attributes
    ----------
    kind, bounds : str
        Kind and range, each to follow "must be".
    is_kind, is_within : callable
        Whether a value is of that kind; whether a value of that kind is in the range.
    none : bool
        Whether it may be None.
    remedy : str
        Sentence that ends an error.
    """

    kind: str
    bounds: str
    is_kind: Callable[[Any], bool]
    is_within: Callable[[Any], bool]
    none: bool = False
    remedy: str = ""

    def check(self, value: object, name: str) -> None:
        """Check a parameter's value.

        Raises
        ------
        TypeError
            If it is of another kind; the message names the parameter, its value, and the kind.
        ValueError
            If it is out of range.
        """
        if value is None and self.none:
            return
        or_none = " or None" if self.none else ""
        if not self.is_kind(value):
            problem = f"{self.kind}{or_none}, not {type(value).__name__}"
            raise TypeError(f"{name}={shown(value)} must be {problem}. {self.remedy}".rstrip())
        if not self.is_within(value):
            problem = f"{self.bounds}{or_none}"
            raise ValueError(f"{name}={shown(value)} must be {problem}. {self.remedy}".rstrip())


def check_arguments(arguments: Mapping[str, Any], **constraints: Constraint) -> None:
    """Check arguments, such as ``locals()`` at the first line of a function; see Constraint."""
    for name, constraint in constraints.items():
        constraint.check(arguments[name], name)


def shown(value: object) -> str:
    """Show a value in an error, on one line and not at length."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def whole(low: int, high: int | None = None, *, none: bool = False, remedy: str = "") -> Constraint:
    """Demand an int, Python's or NumPy's, from `low` to `high`; a bool is none."""
    return Constraint(
        "an int",
        f"at least {low}" if high is None else f"from {low} to {high}",
        _is_int,
        lambda value: low <= value and (high is None or value <= high),
        none,
        remedy,
    )


def number(interval: str, *, none: bool = False, remedy: str = "") -> Constraint:
    """Demand a finite int or float in an interval, such as "[0, 1)" or "(0, inf)"."""
    low, high = map(float, interval[1:-1].split(","))
    closed_low, closed_high = interval[0] == "[", interval[-1] == "]"

    def is_within(value: float) -> bool:  # False for NaN
        above = value >= low if closed_low else value > low
        return above and (value <= high if closed_high else value < high)

    unbounded = f"{'at least' if closed_low else 'above'} {low:g}, and finite"
    bounds = unbounded if high == math.inf else f"in {interval}"
    return Constraint(f"a number {bounds}", bounds, _is_real, is_within, none, remedy)


def flag() -> Constraint:
    """Demand True or False, Python's or NumPy's."""
    return Constraint("True or False", "", lambda value: isinstance(value, (bool, np.bool_)), _any)


def choice(options: Iterable[str], *, none: bool = False) -> Constraint:
    """Demand one of several strings."""
    named = tuple(options)
    words = f"one of {', '.join(named)}"
    return Constraint(words, words, lambda value: isinstance(value, str), named.__contains__, none)


def seed(*, state: bool = False) -> Constraint:
    """Demand an int that NumPy takes as a seed, or None; also a RandomState if `state`."""

    def is_state(value: object) -> bool:
        return state and isinstance(value, np.random.RandomState)

    return Constraint(
        "an int, a numpy.random.RandomState" if state else "an int",
        "from 0 to 2**32 - 1",
        lambda value: _is_int(value) or is_state(value),
        lambda value: is_state(value) or 0 <= value < 2**32,
        none=True,
    )


def instance(*classes: type, none: bool = False, words: str = "", remedy: str = "") -> Constraint:
    """Demand an object of one of some classes; `words` describes them."""
    kind = words or "a " + " or ".join(of.__name__ for of in classes)
    return Constraint(kind, "", lambda value: isinstance(value, classes), _any, none, remedy)


def with_methods(words: str, *methods: str, none: bool = False) -> Constraint:
    """Demand an object, and no class, that has all of some methods; `words` describe it."""

    def has_all(value: object) -> bool:
        return not isinstance(value, type) and all(
            callable(getattr(value, method, None)) for method in methods
        )

    return Constraint(words, "", has_all, _any, none)


def check_each(
    values: Any, constraint: Constraint, name: str, *, may_be_empty: bool = False
) -> list[Any]:
    """List an iterable's values, each checked.

    Raises
    ------
    TypeError
        If `values` is no iterable, or a string or dict; or a value is of another kind.
    ValueError
        If a value is out of range, or there is none.
    """
    is_text = isinstance(values, (str, bytes, Mapping))
    if is_text or not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        problem = f"{name}={shown(values)} must be a list, each {constraint.kind}."
        raise TypeError(f"{problem} {constraint.remedy}".rstrip())
    listed = list(values)
    if not listed and not may_be_empty:
        raise ValueError(f"{name}={shown(values)} is empty. {constraint.remedy}".rstrip())
    for value in listed:
        constraint.check(value, name)
    return listed


def check_sequence(values: Any, name: str, words: str) -> None:
    """Check that something is a list, a tuple or a one-dimensional array; `words` say of what.

    Raises
    ------
    TypeError
        If it is not; a string, a dict, a set and an iterator are none.
    """
    is_list = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
    if not is_list and getattr(values, "ndim", None) != 1:
        raise TypeError(f"{name}={shown(values)} must be a sequence, {words}.")


def _is_int(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def _any(_: object) -> bool:
    return True


PATH = instance(str, os.PathLike, words="a path")
TOPIC_MODEL = with_methods("a BERTopic", "get_topic", "transform")


def check_fitted(topic_model: Any) -> None:
    """Check that a BERTopic is fitted."""
    if topic_model.topics_ is None:
        raise ValueError("topic_model is not fitted. Fit it first.")

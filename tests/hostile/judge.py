"""A call with hostile values -> a right answer, an error that helps, or neither.

A call passes if it gives a right answer, or an error that names the parameter and says what it
must be. It fails if the error comes from deep inside, or if a value that has no meaning there is
taken in silence.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sklearn.exceptions import NotFittedError

from bertopic_matryoshka.exceptions import SavedModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.values import Value

# What a parameter takes: meanings of the values above. "perhaps" may be taken or refused.
COUNT = {"count", "several", "one", "huge"}
KIND = {
    "count": COUNT,
    "count or none": COUNT | {"none"},
    "several": {"several", "huge"},
    "several or none": {"several", "huge", "none"},
    "seed": COUNT | {"zero", "none"},
    "plain seed": COUNT | {"zero"},
    "width": {"count", "one", "several"},
    "width or none": {"count", "one", "several", "none"},
    "widths": {"counts"},
    "widths or none": {"counts", "none"},
    "share": {"share", "zero"},
    "share above 0": {"share", "one"},
    "weight": {"real", "whole", "share", "one", "count", "huge"},
    "bool": {"bool"},
    "rows": {"rows", "two rows"},
    "text": {"str"},
    "texts": {"texts"},
    "topics": {"topics", "no texts", "no words"},
    "labels": {"labels", "texts"},
    "name": {"str"},
    "none": {"none"},
}


@dataclass(frozen=True)
class Call:
    """A public callable, its good arguments, and what each of its parameters takes.

    Attributes
    ----------
    make : callable
        Takes keyword arguments, those of the callable and of what is done with the object.
    good : callable
        Makes good arguments.
    takes : dict of str to str or set of str
        Kind of each parameter, see KIND, or the meanings themselves.
    names : dict of str to str
        Other words by which an error may name a parameter, as regular expressions.
    slow : bool
        Whether a right answer takes longer than an error: values that are right are not tried.
    """

    name: str
    make: Callable[..., Any]
    good: Callable[[], dict[str, Any]]
    takes: dict[str, str | set[str]]
    names: dict[str, str] = field(default_factory=dict)
    slow: bool = False

    def meanings(self, parameter: str) -> set[str]:
        taken = self.takes[parameter]
        return KIND[taken] if isinstance(taken, str) else taken


@dataclass(frozen=True)
class Verdict:
    """What a call did with its hostile values: "answer", "error", "silence" or "deep"."""

    kind: str
    detail: str = ""

    @property
    def is_good(self) -> bool:
        return self.kind in {"answer", "error"}


def judge(call: Call, values: dict[str, Value]) -> Verdict:
    """Call with hostile values in some parameters' place, and judge what comes back."""
    arguments = call.good()
    arguments.update({parameter: value.make() for parameter, value in values.items()})
    wrong = [
        parameter
        for parameter, value in values.items()
        if not value.means & (call.meanings(parameter) | {"perhaps"})
    ]
    quiet = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(quiet), redirect_stderr(quiet):
            warnings.simplefilter("ignore")
            call.make(**arguments)
    except (TypeError, ValueError, NotFittedError, SavedModelError, OSError, ImportError) as error:
        message = str(error)
        known = [rf"\b{re.escape(name)}\b|{call.names.get(name, '(?!)')}" for name in values]
        if any(re.search(pattern, message) for pattern in known):
            return Verdict("error", message)
        return Verdict("deep", f"{type(error).__name__}: {message[:200]}")
    except Exception as error:  # noqa: BLE001  (this is what is looked for)
        return Verdict("deep", f"{type(error).__name__}: {str(error)[:200]}")
    if wrong:
        return Verdict("silence", f"{', '.join(wrong)} taken")
    return Verdict("answer")

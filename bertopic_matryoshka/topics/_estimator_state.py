"""A fitted estimator -> JSON and arrays, and back, for classes on an allow-list."""

from __future__ import annotations

import warnings
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from bertopic_matryoshka.neighbors import NeighborIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Arrays = dict[str, "NDArray[Any]"]


def pack(estimator: Any) -> tuple[dict[str, Any], Arrays]:
    """Split an estimator's attributes into JSON values and arrays.

    Parameters
    ----------
    estimator : object
        Its attributes are None, bool, int, float, str, lists or arrays of them, or RandomState.

    Returns
    -------
    state : dict
        JSON types: "class", "sklearn_version" and "values".
    arrays : dict of str to ndarray

    Raises
    ------
    TypeError
        If an attribute is of another kind; the message names it.
    """
    values: dict[str, Any] = {}
    arrays: Arrays = {}
    for name, value in vars(estimator).items():
        if isinstance(value, NeighborIndex):
            continue  # made again when it is needed
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            arrays[name] = np.ascontiguousarray(value)
        elif isinstance(value, np.ndarray) and all(isinstance(item, str) for item in value.flat):
            values[name] = {"strings": value.tolist()}  # feature_names_in_
        elif isinstance(value, np.generic):
            values[name] = value.item()
        elif isinstance(value, np.random.RandomState):  # MiniBatchKMeans keeps one
            values[name] = {"random_state": _random_state(value)}
        elif _is_plain(value) or (type(value) is list and all(map(_is_plain, value))):
            values[name] = value
        else:
            raise TypeError(
                f"{type(estimator).__name__}.{name}={value!r} cannot be saved: only numbers, "
                "strings and arrays can. Save the topic model with pickle, or leave it at its "
                "default."
            )
    state = {
        "class": type(estimator).__name__,
        "sklearn_version": sklearn.__version__,
        "values": values,
    }
    return state, arrays


def unpack(state: dict[str, Any], arrays: Arrays, allowed: Sequence[type]) -> Any:
    """Rebuild an estimator from the output of :func:`pack`.

    Raises
    ------
    ValueError
        If the class is not among those allowed, an attribute would hide one of the class's own, or
        labels are out of range.

    Warns
    -----
    InconsistentVersionWarning
        If scikit-learn was of another version when the estimator was saved.
    """
    classes = {cls.__name__: cls for cls in allowed}
    if state["class"] not in classes:
        raise ValueError(f"class {state['class']!r} is not one of {', '.join(sorted(classes))}.")
    if state["sklearn_version"] != sklearn.__version__:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=state["class"],
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=state["sklearn_version"],
            ),
            stacklevel=2,
        )
    cls = classes[state["class"]]
    _check_names(cls, {*state["values"], *arrays})
    estimator: Any = object.__new__(cls)
    for name, parameter in signature(cls).parameters.items():
        if parameter.default is not parameter.empty:  # for parameters that are newer than the file
            setattr(estimator, name, parameter.default)
    for name, value in state["values"].items():
        setattr(estimator, name, _unpacked(value) if isinstance(value, dict) else value)
    for name, array in arrays.items():
        setattr(estimator, name, array)
    _check_labels(estimator)
    return estimator


def _check_names(cls: type, names: set[str]) -> None:
    """Check that no attribute would take the place of a method, or of another of the class's."""
    for name in sorted(names):
        if not name.isidentifier() or name.startswith("__") or hasattr(cls, name):
            raise ValueError(f"{cls.__name__} has no attribute {name!r} that could be saved.")


def _check_labels(estimator: Any) -> None:
    """Check that a clusterer's labels name clusters that it has."""
    centers = getattr(estimator, "cluster_centers_", None)
    n_clusters = getattr(estimator, "n_clusters_", None) if centers is None else len(centers)
    for name in ("labels_", "_fit_labels"):
        labels = getattr(estimator, name, None)
        if n_clusters is None or labels is None or np.size(labels) == 0:
            continue
        if np.min(labels) < -1 or np.max(labels) >= n_clusters:
            raise ValueError(
                f"{type(estimator).__name__}.{name} has labels from {np.min(labels)} to "
                f"{np.max(labels)}, but there are {n_clusters} clusters."
            )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _random_state(generator: np.random.RandomState) -> dict[str, Any]:
    state: Any = generator.get_state(legacy=False)
    return {**state, "state": {**state["state"], "key": state["state"]["key"].tolist()}}


def _unpacked(value: dict[str, Any]) -> Any:
    if "strings" in value:
        return np.array(value["strings"], object)
    generator = np.random.RandomState()
    generator.set_state(value["random_state"])
    return generator

"""A fitted lexical view -> JSON and arrays, and back, without pickle."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from bertopic_matryoshka.embedding._lexical_view import WEIGHT, LexicalView

if TYPE_CHECKING:
    from numpy.typing import NDArray

VECTORIZERS = {cls.__name__: cls for cls in (TfidfVectorizer, CountVectorizer)}
"""Vectorizers that can be saved; no other class is looked up by a name in a file."""


def pack_view(view: LexicalView) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Split a fitted view into JSON values and arrays.

    Returns
    -------
    state : dict
        JSON types: "weight", "random_state", "vectorizer" (class and parameters) and "words", in
        the order of their columns.
    arrays : dict of str to ndarray
        "components", and the "idf" of a TfidfVectorizer that has one.

    Raises
    ------
    TypeError
        If the vectorizer is of another class, or one of its parameters is code, such as a
        tokenizer.
    """
    vectorizer = view.vectorizer_
    name = type(vectorizer).__name__
    if VECTORIZERS.get(name) is not type(vectorizer):
        raise TypeError(
            f"The lexical view counts words by a {name}, which cannot be saved: only "
            f"{' and '.join(VECTORIZERS)} can. Save the topic model with pickle."
        )
    words = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    parameters = dict(vectorizer.get_params(deep=False))
    parameters["dtype"] = np.dtype(parameters["dtype"]).name
    if parameters["vocabulary"] is not None:
        parameters["vocabulary"] = words
    for parameter, value in parameters.items():
        if not _is_json(value):
            raise TypeError(
                f"The lexical view's vectorizer has {parameter}={value!r}, which is code and "
                "cannot be saved. Save the topic model with pickle, or split texts into words by "
                "token_pattern or beforehand."
            )
    arrays = {"components": np.ascontiguousarray(view.components_)}
    if getattr(vectorizer, "use_idf", False):
        arrays["idf"] = np.ascontiguousarray(vectorizer.idf_)
    seed = view.random_state
    state = {
        "weight": float(view.weight),
        "random_state": int(seed) if isinstance(seed, (int, np.integer)) else None,
        "vectorizer": {"class": name, "parameters": parameters},
        "words": words,
    }
    return state, arrays


def unpack_view(state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> LexicalView:
    """Rebuild a view from the output of :func:`pack_view`.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the values do not fit each other, or name another class.
    """
    name, words = state["vectorizer"]["class"], state["words"]
    if name not in VECTORIZERS:
        raise ValueError(f"class {name!r} is not one of {', '.join(VECTORIZERS)}.")
    given = dict(state["vectorizer"]["parameters"])
    unknown = set(given) - set(inspect.signature(VECTORIZERS[name]).parameters)
    # Another input than "content" would have texts read as names of files.
    if unknown or given.get("input", "content") != "content":
        raise ValueError(f"{name} has parameters that cannot be: {sorted(unknown) or 'input'}.")
    given["dtype"] = np.dtype(given["dtype"]).type
    given["ngram_range"] = tuple(given["ngram_range"])
    components = arrays["components"]
    if components.ndim != 2 or components.shape[1] != len(words) or len(set(words)) < len(words):
        raise ValueError(f"components of shape {components.shape} do not fit {len(words)} words.")
    WEIGHT.check(state["weight"], "weight")
    view = LexicalView(
        len(components),
        weight=state["weight"],
        vectorizer=VECTORIZERS[name](**given),
        random_state=state["random_state"],
    )
    # With a vocabulary that is given, fitting learns nothing but the IDF, replaced at once.
    view.vectorizer_ = VECTORIZERS[name](**{**given, "vocabulary": words}).fit([""])
    if getattr(view.vectorizer_, "use_idf", False):
        view.vectorizer_.idf_ = arrays["idf"]  # checks that there is one for each word
    view.vectorizer_.set_params(vocabulary=given["vocabulary"])
    view.components_ = components
    return view


def _is_json(value: Any) -> bool:
    """Whether a parameter is a plain value, or a list or tuple of them."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_json, value))
    return value is None or isinstance(value, (bool, int, float, str))

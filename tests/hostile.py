"""Values that nobody should pass, calls of everything public, and a judge of what comes back.

A call passes if it gives a right answer, or an error that names the parameter and says what it
must be. It fails if the error comes from deep inside, or if a value that has no meaning there is
taken in silence.
"""

from __future__ import annotations

import inspect
import io
import re
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse
import torch
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError

import bertopic_matryoshka as bm
from bertopic_matryoshka.exceptions import SavedModelError

if TYPE_CHECKING:
    from collections.abc import Callable

N_DOCUMENTS, WIDTH = 60, 16
KINDS = ("red apple", "blue sea", "green grass")
DOCUMENTS = [f"{KINDS[i % 3]} number {i}" for i in range(N_DOCUMENTS)]
TOPICS = [["red", "apple"], ["blue", "sea"]]


def rows() -> Any:
    """Good embeddings: three clusters, unit rows."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, WIDTH))
    X = centres[np.arange(N_DOCUMENTS) % 3] + rng.normal(scale=0.3, size=(N_DOCUMENTS, WIDTH))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def _with(value: object, dtype: Any = None) -> Any:
    X = rows().astype(dtype or np.float32)
    X[3, 2] = value
    return X


@dataclass(frozen=True)
class Value:
    """A value, made anew for each call, and the meanings that it has."""

    name: str
    make: Callable[[], Any]
    means: frozenset[str] = frozenset()


def _value(name: str, make: Callable[[], Any], *means: str) -> Value:
    return Value(name, make, frozenset(means))


SCALARS = [
    _value("None", lambda: None, "none"),
    _value("True", lambda: True, "bool"),
    _value("np.bool_", lambda: np.bool_(False), "bool"),
    _value("-1", lambda: -1, "negative"),
    _value("0", lambda: 0, "zero"),
    _value("1", lambda: 1, "one", "count", "real"),
    _value("np.int64(2)", lambda: np.int64(2), "count", "real", "several"),
    _value("array(2)", lambda: np.array(2), "perhaps"),
    _value("10**6", lambda: 10**6, "huge"),
    _value("10**30", lambda: 10**30, "perhaps"),
    _value("0.5", lambda: 0.5, "share", "real"),
    _value("np.float32(0.5)", lambda: np.float32(0.5), "share", "real"),
    _value("2.0", lambda: 2.0, "whole", "real"),
    _value("-0.5", lambda: -0.5, "negative share"),
    _value("nan", lambda: float("nan")),
    _value("inf", lambda: float("inf")),
    _value("2j", lambda: 2j),
    _value("'3'", lambda: "3", "str"),
    _value("''", lambda: "", "empty str"),
    _value("b'3'", lambda: b"3"),
    _value("[]", list, "no texts"),
    _value("{}", dict, "no mapping"),
    _value("object()", object),
    _value("int", lambda: int),
    _value("lambda", lambda: lambda _: None, "callable"),
    _value("[2]", lambda: [2], "counts"),
    _value("['x']", lambda: ["x"], "few texts"),
    _value("NaT", lambda: pd.NaT),
    _value("pd.NA", lambda: pd.NA),
    _value("a path", lambda: Path("of a folder that is not there"), "str"),
    _value("a BERTopic, not fitted", BERTopic, "unfitted"),
    _value("Ellipsis", lambda: ..., "ellipsis"),
]

ARRAYS = [
    _value("float64", lambda: rows().astype(np.float64), "rows"),
    _value("float16", lambda: rows().astype(np.float16), "rows"),
    _value("Fortran order", lambda: np.asfortranarray(rows()), "rows"),
    _value("list of lists", lambda: rows().tolist(), "rows"),
    _value("list of arrays", lambda: list(rows()), "rows"),
    _value("frame", lambda: pd.DataFrame(rows()), "rows"),
    _value("frame, equal names", lambda: pd.DataFrame(rows(), columns=["x"] * WIDTH), "rows"),
    _value("tensor", lambda: torch.from_numpy(rows()), "rows"),
    _value("tensor, bfloat16", lambda: torch.from_numpy(rows()).bfloat16(), "rows"),
    _value("tensor, grad", lambda: torch.from_numpy(rows()).requires_grad_(), "rows"),
    _value("integers", lambda: (rows() * 100).astype(int), "rows"),
    _value("object of floats", lambda: rows().astype(object), "rows"),
    _value("masked, nothing hidden", lambda: np.ma.array(rows(), mask=False), "rows"),
    _value("bool array", lambda: rows() > 0, "perhaps"),
    _value("NaN", lambda: _with(np.nan)),
    _value("infinite", lambda: _with(np.inf)),
    _value("huge float64", lambda: _with(1e300, np.float64), "perhaps"),
    _value("complex", lambda: rows() + 1j),
    _value("masked", lambda: np.ma.array(rows(), mask=rows() > 0.2)),
    _value("object with None", lambda: _with(None, object)),
    _value("strings", lambda: rows().astype(str), "topics", "tokens"),
    _value("bytes array", lambda: rows().astype("S8")),
    _value("one-dimensional", lambda: rows()[0]),
    _value("three-dimensional", lambda: rows()[None]),
    _value("no columns", lambda: rows()[:, :0], "no words"),
    _value("no rows", lambda: rows()[:0], "no texts", "no rows"),
    _value("one row", lambda: rows()[:1], "one row"),
    _value("another length", lambda: rows()[:-1], "shorter rows"),
    _value("ragged", lambda: [[1.0, 2.0], [3.0]]),
    _value("sparse", lambda: scipy.sparse.csr_array(rows())),
    _value("dates", lambda: np.full((N_DOCUMENTS, 2), np.datetime64("2026-01-01"))),
    _value("structured", lambda: np.zeros(N_DOCUMENTS, dtype=[("a", "f4"), ("b", "f4")])),
    _value("frame with text", lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})),
    _value("all zero", lambda: np.zeros((N_DOCUMENTS, WIDTH)), "perhaps"),
    _value("all equal", lambda: np.ones((N_DOCUMENTS, WIDTH)), "perhaps"),
]

TEXTS = [
    _value("tuple of texts", lambda: tuple(DOCUMENTS), "texts"),
    _value("array of texts", lambda: np.array(DOCUMENTS), "texts", "labels"),
    _value("Series of texts", lambda: pd.Series(DOCUMENTS, index=range(5, 65)), "texts", "labels"),
    _value("NUL in a text", lambda: ["a\0b", *DOCUMENTS[1:]], "texts", "labels"),
    _value("an empty text", lambda: ["", *DOCUMENTS[1:]], "texts", "labels"),
    _value("a lone surrogate", lambda: ["a \ud83d b", *DOCUMENTS[1:]], "texts", "labels"),
    _value("iterator of texts", lambda: iter(DOCUMENTS), "perhaps"),
    _value("all texts empty", lambda: [""] * N_DOCUMENTS, "perhaps"),
    _value("one text", lambda: "red apple", "str"),
    _value("bytes for texts", lambda: [text.encode() for text in DOCUMENTS], "labels"),
    _value("None among texts", lambda: [None, *DOCUMENTS[1:]], "labels"),
    _value("NaN among texts", lambda: [float("nan"), *DOCUMENTS[1:]], "labels"),
    _value("numbers for texts", lambda: list(range(N_DOCUMENTS)), "labels"),
    _value("frame of texts", lambda: pd.DataFrame({"text": DOCUMENTS})),
    _value("dict of texts", lambda: dict.fromkeys(DOCUMENTS, 1)),
    _value("set of texts", lambda: set(DOCUMENTS)),
    _value("lists for texts", lambda: [text.split() for text in DOCUMENTS], "tokens", "topics"),
    _value("too few texts", lambda: DOCUMENTS[:-1], "shorter texts"),
]

TOPIC_LISTS = [
    _value("tuples of words", lambda: tuple(map(tuple, TOPICS)), "topics"),
    _value("arrays of words", lambda: [np.array(words) for words in TOPICS], "topics"),
    _value("iterator of topics", lambda: iter(TOPICS), "topics"),
    _value("a topic without words", lambda: [[], *TOPICS], "topics"),
    _value("words for topics", lambda: ["red", "apple"], "few texts"),
    _value("bytes for words", lambda: [[b"red", b"apple"], [b"sea"]]),
    _value("bytes for topics", lambda: [b"red", b"apple"]),
    _value("numbers for words", lambda: [[1, 2], [3, 4]], "two rows"),
    _value("None for words", lambda: [[None, "red"], ["sea"]]),
    _value("None for a topic", lambda: [None, ["sea"]]),
    _value("sets of words", lambda: [set(words) for words in TOPICS]),
    _value("pairs of word and weight", lambda: [[("red", 0.5), ("apple", 0.2)], [("sea", 1.0)]]),
    _value("dict of topics", lambda: dict(enumerate(TOPICS))),
    _value("frame of words", lambda: pd.DataFrame(TOPICS)),
]

VALUES = [*SCALARS, *ARRAYS, *TEXTS, *TOPIC_LISTS]

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


@cache
def _fitted() -> BERTopic:
    """A small fitted model; never changed."""
    model = BERTopic(
        embedding_model=bm.MatryoshkaBackend(truncate_dim=WIDTH),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=bm.LeidenClustering(3),
    )
    return model.fit(DOCUMENTS, rows())


def _plain() -> BERTopic:
    return BERTopic(
        embedding_model=bm.MatryoshkaBackend(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=KMeans(2, n_init=1),
    )


@cache
def _levels() -> bm.TopicLevels:
    return bm.topic_levels(_fitted(), DOCUMENTS, [3, 2], min_children=1)


def _no_file(name: str) -> Path:
    return Path(tempfile.gettempdir()) / "of-a-hostile-call" / name


def _estimator(cls: type, **fixed: str) -> Callable[..., Any]:
    """Build an estimator and fit it; "X", where given, is what it is fitted to."""

    def fit(X: Any, **parameters: Any) -> Any:
        return cls(**parameters).fit(X)

    return fit


def _backend(documents: Any, **parameters: Any) -> Any:
    return bm.MatryoshkaBackend(**parameters).embed(documents)


DEVICE = {"none"}
X_NAMES = {"X": r"Input contains|rows of the embeddings|rows are zero|dimensions, but only"}
# What an estimator of the caller's raises is its own: BERTopic takes texts, and loads a model.
OWN_ERROR = "iterable only contains strings|connect to"
EMBEDDING_NAMES = {"embeddings": r"[Ii]nput contains|rows of the embeddings|distinct rows"}
SEEDS = {"seed": "random_state"}

CALLS = [
    Call(
        "truncate",
        bm.truncate,
        lambda: {"embeddings": rows(), "dim": 8},
        {"embeddings": {"rows", "two rows", "one row", "shorter rows", "no rows"}, "dim": "width"},
        EMBEDDING_NAMES,
    ),
    Call(
        "nearest_neighbors",
        bm.nearest_neighbors,
        lambda: {"embeddings": rows(), "n_neighbors": 3},
        {
            "embeddings": {"rows", "two rows", "shorter rows"},
            "n_neighbors": "width",
            "queries": {"rows", "two rows", "shorter rows", "one row", "none"},
            "method": set(),
            "n_probes": COUNT,
            "device": DEVICE,
        },
        {**EMBEDDING_NAMES, "queries": r"[Ii]nput contains|embeddings"},
    ),
    Call(
        "compare_prefixes",
        bm.compare_prefixes,
        lambda: {"embeddings": rows(), "dims": [8]},
        {
            "embeddings": {"rows", "two rows", "shorter rows"},
            "dims": "widths or none",
            "n_neighbors": "width",
            "sample_size": "several or none",
            "random_state": "seed",
            "device": DEVICE,
            "rotated": "bool",
        },
        EMBEDDING_NAMES,
    ),
    Call(
        "inspect_dimensions",
        bm.inspect_dimensions,
        lambda: {"embeddings": rows()},
        {
            "embeddings": {"rows", "two rows", "shorter rows", "one row"},
            "near_zero": "share",
            "dims": "widths or none",
            "rotated": "bool",
        },
        EMBEDDING_NAMES,
    ),
    Call(
        "inspect_models",
        bm.inspect_models,
        lambda: {"models": bm.MatryoshkaBackend(), "documents": DOCUMENTS},
        {
            "models": set(),
            "documents": {"texts", "shorter texts", "few texts", "none"},
            "dims": "widths or none",
            "near_zero": "share",
            "sample_size": "several or none",
            "random_state": "seed",
        },
    ),
    Call(
        "DimensionSelector",
        _estimator(bm.DimensionSelector),
        lambda: {"X": rows(), "n_features_to_select": 8},
        {
            "X": {"rows", "two rows", "shorter rows"},
            "n_features_to_select": {"count", "one", "share", "none"},
            "criterion": {"callable"},
            "near_zero": "share",
            "normalize": "bool",
            "update_support": "bool",
        },
        # A criterion of the caller's may raise its own errors.
        {**X_NAMES, "criterion": "criterion|Python scalars"},
    ),
    Call(
        "PrincipalRotation",
        _estimator(bm.PrincipalRotation),
        lambda: {"X": rows()},
        {
            "X": {"rows", "two rows", "shorter rows", "one row"},
            "n_components": "width or none",
            "sample_size": "count or none",
            "normalize": "bool",
            "random_state": "seed",
        },
        X_NAMES,
    ),
    Call(
        "LeidenClustering",
        _estimator(bm.LeidenClustering),
        lambda: {"X": rows()},
        {
            "X": {"rows", "two rows", "shorter rows", "one row"},
            "n_clusters": "width or none",
            "resolution": "weight",
            "n_neighbors": "count or none",
            "min_cluster_size": "several or none",
            "min_membership": {"share", "zero", "one", "real"},
            "outlier_share": "share",
            "calculate_probabilities": "bool",
            "random_state": "seed",
            "method": set(),
            "device": DEVICE,
            "flavor": set(),
            "memory": {"none", "str", "empty str"},
            "copy_distance": {"zero"},
            "neighbors": {"none"},
            "max_samples": "several or none",
        },
        {**X_NAMES, "neighbors": OWN_ERROR},
    ),
    Call(
        "LexicalView",
        _estimator(bm.LexicalView),
        lambda: {"X": DOCUMENTS, "n_components": 2},
        {
            "X": {"texts", "shorter texts"},
            "n_components": "width",
            "weight": "weight",
            "vectorizer": {"none"},
            "random_state": "seed",
        },
        {"X": "documents|word", "vectorizer": OWN_ERROR},
    ),
    Call(
        "MatryoshkaBackend",
        _backend,
        lambda: {"documents": DOCUMENTS},
        {
            "documents": {"texts", "shorter texts", "few texts", "no texts"},
            "model": {"none"},
            "truncate_dim": "width or none",
            "dims": "widths or none",
            "prompt": {"none", "str", "empty str", "ellipsis"},
            "device": DEVICE,
            "dtype": {"none"},
            "batch_size": "count",
            "revision": {"none", "str"},
            "trust_remote_code": "bool",
            "encode_kwargs": {"none", "no mapping"},
            "permutation_seed": "seed",
        },
    ),
    Call(
        "topic_diversity",
        bm.topic_diversity,
        lambda: {"topics": TOPICS},
        {"topics": "topics", "top_n": "count", "fold": "bool"},
    ),
    Call(
        "inverted_rbo",
        bm.inverted_rbo,
        lambda: {"topics": TOPICS},
        {"topics": "topics", "top_n": "count", "p": {"share"}},
    ),
    Call(
        "topic_balance",
        bm.topic_balance,
        lambda: {"sizes": [3, 4]},
        {"sizes": {"counts", "labels", "no texts"}},
    ),
    Call(
        "topic_stability",
        bm.topic_stability,
        lambda: {"topics": TOPICS, "others": TOPICS},
        {
            "topics": "topics",
            "others": "topics",
            "top_n": "count",
        },
    ),
    Call(
        "topic_agreement",
        bm.topic_agreement,
        lambda: {"topics": [[0, 0, 1, 1]] * 3, "reference": [[0, 1, 1, 0]] * 3},
        {"topics": set(), "reference": set(), "rows": "none", "assigned_only": "bool"},
        {"topics": "[Rr]eplicate", "reference": "[Rr]eplicate", "rows": "[Rr]eplicate"},
    ),
    Call(
        "embedding_coherence",
        bm.embedding_coherence,
        lambda: {"topics": TOPICS, "backend": bm.MatryoshkaBackend()},
        {"topics": "topics", "backend": set(), "top_n": "several"},
    ),
    Call(
        "TopicCoherence",
        lambda topics, **given: bm.TopicCoherence(**given).score(topics),
        lambda: {"topics": TOPICS, "documents_or_tokens": DOCUMENTS},
        {
            "topics": "topics",
            "documents_or_tokens": {"texts", "shorter texts", "few texts", "tokens", "topics"}
            | {"no texts", "no words"},
            "measure": set(),
            "vectorizer": {"none"},
            "window_size": "count or none",
            "top_n": "several",
            "device": DEVICE,
        },
        {"documents_or_tokens": "document|token"},
    ),
    Call(
        "evaluate_topics",
        lambda **given: bm.evaluate_topics(_fitted(), **given),
        lambda: {"documents": DOCUMENTS, "measures": ["npmi"]},
        {
            "documents": {"texts", "shorter texts", "few texts"},
            "measures": {"no texts"},
            "labels": {"labels", "texts", "none"},
            "top_n": "several",
            "device": DEVICE,
        },
        {"measures": "measure"},
    ),
    Call(
        "TopicScorer",
        bm.TopicScorer,
        dict,
        {
            "measure": set(),
            "top_n": "several",
            "n_resamples": COUNT | {"zero"},
            "n_replicates": COUNT | {"zero"},
            "split_half": "bool",
            "device": DEVICE,
        },
    ),
    Call(
        "CoreWords",
        lambda **given: bm.build_topic_model(ctfidf_model=bm.CoreWords(**given)),
        dict,
        {"share": "share above 0", "min_documents": "count", "fold": "bool"},
    ),
    Call(
        "ExpectWidth",
        lambda X, **given: bm.ExpectWidth(**given).fit(X),
        lambda: {"X": rows(), "reducer": bm.DimensionSelector(8), "width": WIDTH},
        {"X": {"rows", "two rows", "shorter rows"}, "reducer": set(), "width": set()},
        {"X": X_NAMES["X"] + "|embeddings", "width": "backend produces", "reducer": OWN_ERROR},
    ),
    Call(
        "get_stop_words",
        bm.get_stop_words,
        lambda: {"language": "english"},
        {"language": set()},
    ),
    Call(
        "build_topic_model",
        bm.build_topic_model,
        dict,
        {
            "backend": {"none", "str"},
            "reduction": set(),
            "clustering": {"none"},
            "n_features_to_select": {"count", "one", "share", "none"},
            "criterion": {"callable"},
            "n_components": {"none"},
            "stop_words": {"none", "no texts", "few texts", "texts", "shorter texts"},
            "random_state": "seed",
            "min_topic_size": "several",
            "calculate_probabilities": "bool",
            "top_n_words": "count",
        },
    ),
    Call(
        "compare_dimensions",
        bm.compare_dimensions,
        lambda: {
            "documents": DOCUMENTS,
            "topic_models": _plain(),
            "dims": [32],
            "seeds": 1,
            "scorer": bm.TopicScorer(n_replicates=0, n_resamples=0),
            "progress": False,
        },
        {
            "documents": {"texts"},
            "topic_models": {"none", "unfitted"},
            "dims": {"counts", "none"},
            "seeds": {"count", "one", "several", "counts", "huge"},
            "labels": {"labels", "texts", "none"},
            "embeddings": {"none"},
            "scorer": {"none"},
            "store": {"none", "str"},
            "n_jobs": {"count", "one", "several", "negative", "huge"},
            "progress": {"bool", "callable"},
        },
        {"topic_models": "topic model|embedding_model"},
        slow=True,
    ),
    Call(
        "compare_topic_numbers",
        lambda **given: bm.compare_topic_numbers(_fitted(), **given),
        lambda: {"documents": DOCUMENTS, "numbers": [2, 3], "embeddings": rows()},
        {
            "documents": {"texts"},
            "numbers": {"counts", "none"},
            "embeddings": {"rows", "none"},
            "labels": {"labels", "texts", "none"},
            "scorer": {"none"},
        },
        slow=True,
    ),
    Call(
        "topic_levels",
        lambda **given: bm.topic_levels(_fitted(), **given),
        lambda: {"documents": DOCUMENTS, "numbers": [2]},
        {"documents": {"texts"}, "numbers": {"counts"}, "min_children": "count"},
        slow=True,
    ),
    Call(
        "topic_linkage",
        lambda **given: bm.topic_linkage(_fitted(), **given),
        dict,
        {"distances": {"none"}, "topics": {"none"}},
        {"distances": "distance"},
    ),
    Call(
        "load_topic_model",
        bm.load_topic_model,
        lambda: {"path": _no_file("model")},
        {
            "path": set(),
            "backend": {"none"},
            "device": {"none"},
            "trust_remote_code": "bool",
        },
    ),
    Call(
        "save_topic_model",
        lambda **given: bm.save_topic_model(**{"topic_model": BERTopic(), **given}),
        lambda: {"path": _no_file("model")},
        {"topic_model": set(), "path": set(), "save_embedding_model": set()},
        {"path": "fitted", "save_embedding_model": "fitted"},
    ),
    Call(
        "plot_topic_map",
        bm.plot_topic_map,
        lambda: {"levels": _levels(), "documents": DOCUMENTS, "embeddings": rows()},
        {
            "levels": set(),
            "documents": {"texts"},
            "embeddings": {"rows"},
            "sample_size": "count",
            "random_state": "seed",
        },
        EMBEDDING_NAMES,
        slow=True,
    ),
    Call(
        "plot_comparison",
        bm.plot_comparison,
        lambda: {"comparison": None},
        {"comparison": set(), "n_columns": set()},
        {"n_columns": "comparison"},
    ),
    Call(
        "plot_topic_numbers",
        bm.plot_topic_numbers,
        lambda: {"comparison": None},
        {"comparison": set(), "n_columns": set()},
        {"n_columns": "comparison"},
    ),
    Call(
        "write_report",
        bm.write_report,
        lambda: {"comparison": None, "path": _no_file("report.html")},
        {"comparison": set(), "path": set()},
        {"path": "comparison"},
    ),
    Call(
        "write_png",
        bm.write_png,
        lambda: {"comparison": None, "path": _no_file("report.png")},
        {"comparison": set(), "path": set()},
        {"path": "comparison"},
    ),
]


def cases() -> list[tuple[Call, str, Value]]:
    """List all calls with one hostile value each that are to be tried."""
    return [
        (call, parameter, value)
        for call in CALLS
        for parameter in call.takes
        for value in VALUES
        if not (call.slow and value.means & (call.meanings(parameter) | {"perhaps"}))
    ]


def missing_parameters() -> list[str]:
    """Name the parameters of public callables that no call above tries."""
    tried = {call.name: set(call.takes) for call in CALLS}
    return [
        f"{name}({parameter})"
        for name in bm.__all__
        if name in tried
        for parameter in inspect.signature(getattr(bm, name)).parameters
        if parameter not in tried[name] | {"topic_model", "bertopic_kwargs"}
    ]

"""The user's topic models -> unfitted clones with a seed and a width, one for each fit."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction

from bertopic_matryoshka.clustering import LeidenClustering, smallest_cluster
from bertopic_matryoshka.embedding import MatryoshkaBackend, PrincipalRotation
from bertopic_matryoshka.selection import DimensionSelector
from bertopic_matryoshka.topics import ExpectWidth, build_topic_model

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS_OF_A_MODEL = (
    "umap_model",
    "hdbscan_model",
    "vectorizer_model",
    "ctfidf_model",
    "representation_model",
)
"""Parameters of BERTopic that are estimators, or lists and dicts of them."""

SHORT_NAMES = {
    DimensionSelector: "selection",
    PrincipalRotation: "rotation",
    LeidenClustering: "Leiden",
    BaseDimensionalityReduction: "none",
}
"""Short names of estimators that differ from their class names."""


def named_topic_models(topic_models: Any, *, has_embeddings: bool) -> dict[str, BERTopic]:
    """Name the topic models; the default is build_topic_model() or its like on embeddings alone.

    Raises
    ------
    TypeError
        If one of them is not a BERTopic.
    ValueError
        If there is none, or one cannot find topics.
    """
    if topic_models is None:
        topic_models = build_topic_model()
        if has_embeddings:  # of an unknown model
            topic_models.embedding_model = BaseEmbedder()
    if isinstance(topic_models, BERTopic):
        topic_models = {short_name(topic_models): topic_models}
    if not isinstance(topic_models, Mapping):
        raise TypeError(
            f"topic_models is of type {type(topic_models).__name__} and must be a BERTopic, or a "
            "dict of them by name. build_topic_model(backend) makes one of a backend."
        )
    if not topic_models:
        raise ValueError("topic_models={} names nothing to compare. Leave it out for the default.")
    for name, topic_model in topic_models.items():
        if not isinstance(topic_model, BERTopic):
            raise TypeError(
                f"topic_models[{name!r}] is of type {type(topic_model).__name__} and must be a "
                "BERTopic."
            )
        if isinstance(topic_model.hdbscan_model, BaseCluster):
            raise ValueError(  # noqa: TRY004  (it is a BERTopic)
                f"topic_models[{name!r}] has a BaseCluster, which finds no topics. BERTopic puts "
                "it there when a model is loaded or was fitted with zero-shot topics: build the "
                "topic model anew."
            )
    return dict(topic_models)


def clone_topic_model(topic_model: BERTopic, embedding_model: Any = None) -> BERTopic:
    """Build an unfitted topic model with the same parameters and another embedding model.

    None stands for a model of which only embeddings are known. BERTopic removes punctuation from
    English documents if it has no embedding model; clones never do, so that words are comparable.

    Estimators are rebuilt from their parameters, also in lists and dicts. Other objects in them,
    such as a spaCy pipeline or the client of a language model, are shared.

    Raises
    ------
    TypeError
        If an estimator keeps its parameters under other names and cannot be copied either.
    """
    parameters = {
        name: _cloned(name, value)
        for name, value in parameters_of(topic_model).items()
        if name != "embedding_model"
    }
    parameters["embedding_model"] = BaseEmbedder() if embedding_model is None else embedding_model
    return type(topic_model)(**parameters)


def parameters_of(estimator: Any) -> dict[str, Any]:
    """Get an estimator's constructor parameters, including those passed on to its base classes.

    ``OnlineCountVectorizer(stop_words="english").get_params()`` has no stop words, as they are
    among the ``**kwargs`` of its constructor, so that scikit-learn's clone loses them.
    """
    parameters = dict(estimator.get_params(deep=False))
    for cls in type(estimator).__mro__:
        signature = inspect.signature(cls).parameters.values()
        names = [p.name for p in signature if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        held = [name for name in names if hasattr(estimator, name)]
        parameters |= {name: getattr(estimator, name) for name in held}
        if not any(p.kind is p.VAR_KEYWORD for p in signature):
            break
    return {**parameters, **getattr(estimator, "_metric_kwargs", {})}  # of HDBSCAN's metric


def estimators_of(topic_model: BERTopic) -> Iterator[Any]:
    """Iterate over the estimators of a topic model, nested ones first."""
    for part in PARTS_OF_A_MODEL:
        yield from _walk(getattr(topic_model, part))


def set_seed(topic_model: BERTopic, seed: int | None) -> None:
    """Set every `random_state` of the topic model's estimators; None leaves them as they are."""
    if seed is None:
        return
    for estimator in estimators_of(topic_model):
        if "random_state" in _own_parameters(estimator):
            estimator.set_params(random_state=seed)
            if type(estimator).__name__ == "UMAP" and hasattr(estimator, "n_jobs"):
                estimator.n_jobs = 1  # with a seed, UMAP does so anyway, with a warning


def set_width(topic_model: BERTopic, dim: int) -> None:
    """Set the width that the check of the embeddings expects."""
    for estimator in estimators_of(topic_model):
        if isinstance(estimator, ExpectWidth):
            estimator.width = dim


def set_number_of_clusters(topic_model: BERTopic, n_clusters: int | None, n_distinct: int) -> None:
    """Ask a LeidenClustering without a number for one, at most as many as documents allow."""
    clusterer = topic_model.hdbscan_model
    if not isinstance(clusterer, LeidenClustering) or clusterer.n_clusters is not None:
        return
    if n_clusters:
        most = n_distinct // smallest_cluster(clusterer.min_cluster_size, n_distinct)
        clusterer.n_clusters = max(1, min(n_clusters, most))


def short_name(topic_model: BERTopic) -> str:
    """Name a topic model after its reduction and clustering, such as "selection + Leiden"."""
    reduction = short_name_of(reducer_of(topic_model))
    clustering = short_name_of(topic_model.hdbscan_model)
    return clustering if reduction == "none" else f"{reduction} + {clustering}"


def short_name_of(estimator: Any) -> str:
    """Short name of an estimator, such as "selection", "Leiden", "UMAP" or "HDBSCAN"."""
    return SHORT_NAMES.get(type(estimator), type(estimator).__name__)


def described(estimator: Any) -> str:
    """Write an estimator with its parameters in one line, the same in every process."""
    try:
        text = repr(estimator)
    except AttributeError:  # it keeps its parameters under other names
        return type(estimator).__name__
    return re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(text.split()))


def reducer_of(topic_model: BERTopic) -> Any:
    """Get the reducer, without its ExpectWidth wrapper."""
    reducer = topic_model.umap_model
    return reducer.reducer if isinstance(reducer, ExpectWidth) else reducer


def check_enough_documents(
    topic_models: Mapping[str, BERTopic], n_documents: int, *, halved: bool, sampled: int | None
) -> None:
    """Raise before anything is encoded if there are too few documents for a topic model."""
    if n_documents < 3:
        raise ValueError(f"{n_documents} documents have no neighbourhoods. Add documents.")
    for name, topic_model in topic_models.items():
        clusterer = topic_model.hdbscan_model
        n_topics, given = 1, getattr(clusterer, "min_cluster_size", topic_model.min_topic_size)
        if isinstance(clusterer, LeidenClustering):
            n_topics = clusterer.n_clusters or 1
        parts = [(n_documents, "")] + [(n_documents // 2, " of a half")] * halved
        if sampled is not None:
            parts.append((sampled, " of a replicate"))
        for n, part in parts:
            smallest = smallest_cluster(given, n)  # of LeidenClustering, which has a None
            if n < n_topics * smallest:
                topics = "one topic needs" if n_topics == 1 else f"{n_topics} topics need"
                without = ", or set n_replicates=0 of TopicScorer" if "replicate" in part else ""
                raise ValueError(
                    f"{n} documents{part} are fewer than {topics} at {smallest} documents a topic, "
                    f"as topic_models[{name!r}] asks for. Add documents, or ask for fewer or "
                    f"smaller topics{without}."
                )


def number_of_topics(topic_model: BERTopic) -> int | None:
    """Get the number of topics to which BERTopic merges; None if it does not."""
    n = topic_model.nr_topics
    return int(n) if isinstance(n, int) and not isinstance(n, bool) and n else None


def needs_words(topic_model: BERTopic) -> bool:
    """Whether the topics of documents depend on words, and not on embeddings alone."""
    return any(
        getattr(topic_model, name)
        for name in ("nr_topics", "seed_topic_list", "zeroshot_topic_list")
    )


def embeds_words(topic_model: BERTopic) -> bool:
    """Whether a fit may embed words, so that its topics depend on what embeds them."""
    return any(
        getattr(topic_model, name)
        for name in ("representation_model", "seed_topic_list", "zeroshot_topic_list")
    )


def how_words_are_found(topic_model: BERTopic) -> str:
    """Key of how documents are tokenised: the vectorizer's parameters."""
    vectorizer = topic_model.vectorizer_model
    return f"{type(vectorizer)} {sorted(parameters_of(vectorizer).items())!r}"


def backend_of(topic_model: BERTopic) -> MatryoshkaBackend | None:
    """Get the embedding model of a topic model as a backend; None if it cannot be one."""
    model = topic_model.embedding_model
    if model is None or isinstance(model, MatryoshkaBackend):
        return model
    if type(model).__module__ == "bertopic.backend._sentencetransformers":
        model = model.embedding_model  # BERTopic wraps a SentenceTransformer when it is fitted
    if isinstance(model, str) or "sentence_transformers" in type(model).__module__:
        return MatryoshkaBackend(model)
    return None


def _cloned(name: str, value: Any) -> Any:
    try:
        return _clone(value) if name in PARTS_OF_A_MODEL else copy.deepcopy(value)
    except Exception as error:
        raise TypeError(
            f"{name}={described(value):.80} cannot be cloned for each fit ({error}). An estimator "
            "must keep the parameters of its constructor under their names, as scikit-learn asks."
        ) from error


def _clone(value: Any) -> Any:
    """Rebuild an estimator and its nested estimators from their parameters."""
    if type(value) in (list, tuple):
        return type(value)(map(_clone, value))
    if type(value) is dict:
        return {key: _clone(item) for key, item in value.items()}
    if isinstance(value, type) or not hasattr(value, "get_params"):
        return copy.deepcopy(value)
    try:
        parameters = parameters_of(value)
    except AttributeError:  # it keeps its parameters under other names
        return copy.deepcopy(value)
    return type(value)(**{name: _clone_parameter(held) for name, held in parameters.items()})


def _clone_parameter(value: Any) -> Any:
    """Clone the estimators in a parameter; other objects in it are shared."""
    holds = type(value) in (list, tuple, dict) or hasattr(value, "get_params")
    return _clone(value) if holds else value


def _own_parameters(estimator: Any) -> dict[str, Any]:
    try:
        return dict(estimator.get_params(deep=False))
    except AttributeError:
        return {}


def _walk(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, dict):
        yield from _walk(list(value.values()))
    elif hasattr(value, "get_params") and not isinstance(value, type):
        yield from _walk(list(_own_parameters(value).values()))
        yield value

"""Topic models -> a folder and back: BERTopic's safetensors files and what those leave out."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertopic import BERTopic
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from safetensors.numpy import load_file, save_file
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA, IncrementalPCA

from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.embedding import MatryoshkaBackend, ModelFacts
from bertopic_matryoshka.exceptions import LossySaveWarning
from bertopic_matryoshka.selection import DimensionSelector
from bertopic_matryoshka.topics._bertopic_files import write_bertopic_files
from bertopic_matryoshka.topics._estimator_state import Arrays, pack, unpack
from bertopic_matryoshka.topics._expect_width import ExpectWidth
from bertopic_matryoshka.topics._missing_hdbscan import warn_of_missing_hdbscan

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

STATE_FILE = "matryoshka.json"
ARRAYS_FILE = "matryoshka.safetensors"
MODEL_FOLDER = "embedding_model"
FORMAT_VERSION = 1

# What may be built from a file: no other class is ever looked up by a name read from it.
SAFE_ESTIMATORS = (
    BaseCluster,
    BaseDimensionalityReduction,
    DimensionSelector,
    IncrementalPCA,
    KMeans,
    LeidenClustering,
    MiniBatchKMeans,
    PCA,
)


def save_topic_model(
    topic_model: BERTopic, path: str | Path, *, save_embedding_model: bool = False
) -> None:
    """Save a fitted topic model to a folder, without pickle, and without losing the selector.

    The folder holds BERTopic's own safetensors files, which ``BERTopic.load`` reads, and two of
    ours: matryoshka.json (backend recipe, width, prompt, parameters) and matryoshka.safetensors
    (the arrays of reducer and clusterer).

    Parameters
    ----------
    topic_model : BERTopic
        Fitted, with a MatryoshkaBackend.
    path : str or Path
        Folder; made if it is not there, its files of the same names are replaced.
    save_embedding_model : bool, default=False
        Whether to put the embedding model's weights into the folder too. Needed where the backend
        was built from a loaded model and the loading side shall not hand one over.

    Raises
    ------
    TypeError
        If the embedding model is not a MatryoshkaBackend.
    ValueError
        If the model is not fitted.

    Warns
    -----
    LossySaveWarning
        If the reducer or the clusterer has no safe format, as hdbscan.HDBSCAN has none. The
        loaded model then assigns new documents to the nearest topic embedding, as BERTopic.load
        does. Or if the backend was built from a loaded model whose weights are not saved.

    See Also
    --------
    load_topic_model : The way back.
    """
    backend = topic_model.embedding_model
    if not isinstance(backend, MatryoshkaBackend):
        raise TypeError(
            f"embedding_model is of type {type(backend).__name__} and must be a MatryoshkaBackend. "
            "Use topic_model.save(path, serialization='safetensors') for others."
        )
    if topic_model.topics_ is None:
        raise ValueError("The topic model is not fitted. Call fit before saving it.")
    recipe = backend.recipe()
    if recipe.get("model") and Path(recipe["model"]).is_dir():
        recipe["model"] = str(Path(recipe["model"]).absolute())  # to be found from elsewhere
    if not save_embedding_model and "model" not in recipe:
        _warn(
            "The backend was built from a loaded model, whose name is not known here. Pass "
            "load_topic_model(path, backend=...), or save with save_embedding_model=True.",
            stacklevel=2,
        )
    parts, arrays = _packed(topic_model)
    # Weights in a folder of another name are not found in the registry of published models.
    facts = backend.facts if save_embedding_model else backend._source.facts  # noqa: SLF001
    state = {
        "format_version": FORMAT_VERSION,
        "backend": recipe,
        "facts": None if facts is None else asdict(facts),
        "width": backend.embedding_dim,
        "has_embedding_model": save_embedding_model,
        **parts,
    }
    state_json = json.dumps(state, indent=2)
    # Nothing is written before all that can fail has been tried: an older save stays whole.
    folder = Path(path)
    write_bertopic_files(topic_model, folder)
    if save_embedding_model:
        backend.embedding_model.save_pretrained(str(folder / MODEL_FOLDER))
    save_file(arrays, folder / ARRAYS_FILE)
    (folder / STATE_FILE).write_text(state_json, "utf-8")


def load_topic_model(
    path: str | Path,
    *,
    backend: MatryoshkaBackend | SentenceTransformer | None = None,
    device: str | None = None,
    trust_remote_code: bool = False,
) -> BERTopic:
    """Load what :func:`save_topic_model` saved; ``transform`` gives the topics it gave before.

    Parameters
    ----------
    path : str or Path
        The folder.
    backend : MatryoshkaBackend, SentenceTransformer or None, default=None
        The embedding model, where it was not saved by name, or to use another copy. None builds
        the backend that was saved; its model is loaded at first use.
    device : str or None, default=None
        Where to load the model; the one used before saving belongs to another machine.
    trust_remote_code : bool, default=False
        Must be True for a model that was saved with trust_remote_code: a file is no reason to
        run code.

    Returns
    -------
    topic_model : BERTopic
        If its clusterer was left out at saving, ``hdbscan_model`` is BERTopic's BaseCluster.

    Raises
    ------
    FileNotFoundError
        If the folder or a file of ours is missing.
    ValueError
        If the file is of a newer format, the model needs `backend` or `trust_remote_code`, or
        `backend` has another width than the saved one.

    Warns
    -----
    RuntimeWarning
        If hdbscan is not installed, so that BERTopic's transform would fail; see
        allow_missing_hdbscan.
    """
    folder = Path(path)
    file = folder / STATE_FILE
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing: {folder} was not written by save_topic_model. "
            "BERTopic.load reads what topic_model.save wrote."
        )
    state = json.loads(file.read_text("utf-8"))
    if state["format_version"] > FORMAT_VERSION:
        raise ValueError(
            f"{file} has format_version={state['format_version']}, and this release reads up to "
            f"{FORMAT_VERSION}. Upgrade bertopic-matryoshka."
        )
    backend = _backend(state, folder, backend, device, trust_remote_code=trust_remote_code)
    topic_model = BERTopic.load(folder, embedding_model=backend)
    arrays = load_file(folder / ARRAYS_FILE)
    if state["reducer"] is not None:
        reducer = unpack(state["reducer"], _own(arrays, "reducer"), SAFE_ESTIMATORS)
        topic_model.umap_model = ExpectWidth(reducer, state["width"])
    # A clusterer without its reducer would be handed embeddings that it never saw the like of.
    if state["reducer"] is not None and state["clusterer"] is not None:
        clusterer = unpack(state["clusterer"], _own(arrays, "clusterer"), SAFE_ESTIMATORS)
        topic_model.hdbscan_model = clusterer
        warn_of_missing_hdbscan()
    return topic_model


def _packed(topic_model: BERTopic) -> tuple[dict[str, Any], Arrays]:
    """Pack reducer and clusterer; None for one that has no safe format, with a warning."""
    parts: dict[str, Any] = {}
    arrays: Arrays = {}
    for role, estimator in _steps(topic_model).items():
        reason = _why_unsafe(estimator)
        if reason is None:
            parts[role], own = pack(estimator)
            if "device" in parts[role]["values"]:
                parts[role]["values"]["device"] = None  # it belongs to this machine
            arrays |= {f"{role}.{name}": array for name, array in own.items()}
        else:
            parts[role] = None
            _warn(
                f"{reason} It is left out: the loaded model will assign new documents to the "
                "nearest topic embedding by cosine similarity, as BERTopic.load does. "
                "Keep serialization='pickle' beside it if transform must not change.",
                stacklevel=3,
            )
    return parts, arrays


def _steps(topic_model: BERTopic) -> dict[str, Any]:
    reducer = topic_model.umap_model
    return {
        "reducer": reducer.reducer if isinstance(reducer, ExpectWidth) else reducer,
        "clusterer": topic_model.hdbscan_model,
    }


def _why_unsafe(estimator: Any) -> str | None:
    if type(estimator) in SAFE_ESTIMATORS:
        return None
    names = ", ".join(sorted(cls.__name__ for cls in SAFE_ESTIMATORS))
    module = type(estimator).__module__.partition(".")[0]
    return f"{module}.{type(estimator).__name__} has no safe format; those with one: {names}."


def _backend(
    state: dict[str, Any],
    folder: Path,
    given: MatryoshkaBackend | SentenceTransformer | None,
    device: str | None,
    *,
    trust_remote_code: bool,
) -> MatryoshkaBackend:
    recipe = dict(state["backend"])
    if recipe.pop("trust_remote_code") and not trust_remote_code and given is None:
        raise ValueError(
            f"{recipe.get('model')} was saved with trust_remote_code=True. Pass "
            "trust_remote_code=True if you trust its authors, or backend=... to use another copy."
        )
    facts = state["facts"]
    if isinstance(given, MatryoshkaBackend):
        backend = given
    elif given is not None:
        for loading in ("model", "dtype", "revision"):
            recipe.pop(loading, None)
        recipe["dims"] = recipe["dims"] or (facts and facts["dims"])  # checked at once
        backend = MatryoshkaBackend(given, **recipe)
    else:
        if state["has_embedding_model"]:
            recipe |= {"model": str(folder / MODEL_FOLDER), "revision": None}
        if "model" not in recipe:
            raise ValueError(
                f"{folder} was saved from a loaded model, whose name is not known. "
                "Pass it: load_topic_model(path, backend=...)."
            )
        backend = MatryoshkaBackend(device=device, trust_remote_code=trust_remote_code, **recipe)
    if facts is not None and backend is not given:
        dims = None if facts["dims"] is None else tuple(facts["dims"])
        backend._source.facts = ModelFacts(**{**facts, "dims": dims})  # noqa: SLF001
    if given is not None and backend.embedding_dim != state["width"]:
        raise ValueError(
            f"backend produces embeddings {backend.embedding_dim} wide, but the topic model was "
            f"fitted on {state['width']}. Pass backend.truncated({state['width']})."
        )
    return backend


def _own(arrays: dict[str, Any], role: str) -> dict[str, Any]:
    prefix = f"{role}."
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}


def _warn(message: str, *, stacklevel: int) -> None:
    warnings.warn(message, LossySaveWarning, stacklevel=stacklevel + 1)

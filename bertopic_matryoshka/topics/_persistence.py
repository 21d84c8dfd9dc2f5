"""Topic models -> a folder and back: BERTopic's safetensors files, reducer and clusterer."""

from __future__ import annotations

import copy
import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from safetensors.numpy import save_file
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA, IncrementalPCA

from bertopic_matryoshka._constraints import PATH, TOPIC_MODEL, check_arguments, flag
from bertopic_matryoshka._validation import find_device
from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.embedding import (
    LexicalView,
    MatryoshkaBackend,
    PrincipalRotation,
    pack_view,
    unpack_view,
)
from bertopic_matryoshka.exceptions import LossySaveWarning, SavedModelError
from bertopic_matryoshka.selection import DimensionSelector
from bertopic_matryoshka.topics._bertopic_files import BERTOPIC_FILES, IMAGES, write_bertopic_files
from bertopic_matryoshka.topics._estimator_state import Arrays, pack, unpack
from bertopic_matryoshka.topics._expect_width import ExpectWidth
from bertopic_matryoshka.topics._missing_hdbscan import warn_of_missing_hdbscan
from bertopic_matryoshka.topics._model import MatryoshkaBERTopic
from bertopic_matryoshka.topics._saved_backend import MODEL_FOLDER, VIEW, load_backend
from bertopic_matryoshka.topics._saved_backend import save_embedding_model as save_model
from bertopic_matryoshka.topics._saved_checks import (
    check_bertopic_files,
    check_keys,
    check_state,
    find_pickles,
    read_arrays,
    read_json,
    refuse_pickles,
)
from bertopic_matryoshka.topics._saved_counts import COUNTS, pack_counts, unpack_counts
from bertopic_matryoshka.topics._saved_folder import (
    MANIFEST,
    REMEDY,
    Version,
    check_digests,
    read_files,
    replace_files,
)

if TYPE_CHECKING:
    from bertopic import BERTopic

STATE_FILE = MANIFEST
ARRAYS_FILE = "matryoshka.safetensors"
FORMAT_VERSION = 2

# Classes that may be built from a file; no other class is looked up by a name in it.
SAFE_ESTIMATORS = (
    BaseCluster,
    BaseDimensionalityReduction,
    DimensionSelector,
    IncrementalPCA,
    KMeans,
    LeidenClustering,
    MiniBatchKMeans,
    PCA,
    PrincipalRotation,
)


def save_topic_model(
    topic_model: BERTopic,
    path: str | Path,
    *,
    save_embedding_model: bool = False,
    save_rows: bool = True,
) -> None:
    """Save a fitted topic model to a folder without pickle, with its reducer and clusterer.

    The folder holds BERTopic's own safetensors files, which ``BERTopic.load`` reads, and two more:
    matryoshka.json (backend recipe, width, prompt, parameters, words of a lexical view, and the
    SHA-256 digest of each file) and matryoshka.safetensors (the arrays of rotation, lexical view,
    reducer and clusterer, and the word counts of an OnlineCountVectorizer, so that a stream can go
    on).

    Saving is atomic. If the process is killed or the disk is full, load_topic_model gives the
    older model or the new one, never parts of both. A killed save may leave a subfolder whose name
    begins with ".matryoshka-"; it is ignored, and the next save removes it. Other processes may
    load during a save; concurrent saves wait for each other.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted, with a MatryoshkaBackend.
    path : str or Path
        Folder, or a link to one; created if it does not exist. An older save in it is replaced;
        its other files stay.
    save_embedding_model : bool, default=False
        Whether to save the embedding model's weights too. Needed if the backend was built from a
        loaded model and `backend` is not passed to load_topic_model. Always done if the weights
        were loaded from this folder.
    save_rows : bool, default=True
        Whether to save a LeidenClustering with the rows of its fit, among whose neighbours
        ``transform`` looks. Without them the folder is small and ``transform`` fast; the loaded
        model assigns new documents to the nearest topic embedding. On five pairs of corpus and
        model it gave 84 to 95 % of held-out documents the topic that the full save gives, and an
        AMI with the labels from .036 below to .011 above, see docs/given-embeddings.md. No document
        is an outlier then, unless topic -1 is nearest. Other clusterers are saved either way.

    Raises
    ------
    TypeError
        If the embedding model is not a MatryoshkaBackend, or it has a LexicalView whose vectorizer
        is neither a TfidfVectorizer nor a CountVectorizer, or has code among its parameters.
    ValueError
        If the model is not fitted.
    SavedModelError
        If the folder holds a pickle that no save wrote, or BERTopic's files could not be loaded.
    NotADirectoryError, FileExistsError
        If `path` is a file, or has a subfolder "images" or "embedding_model" that no save wrote.
    OSError, SafetensorError
        If the disk is full or the folder cannot be written to. The older save stays intact.
    TimeoutError
        If another process has been saving to the folder for ten minutes.

    Warns
    -----
    LossySaveWarning
        If the reducer or the clusterer has no safe format, such as hdbscan.HDBSCAN. The loaded
        model then assigns new documents to the nearest topic embedding, as BERTopic.load does.
        Also if the backend was built from a loaded model whose weights are not saved, or from a
        function or another library's model.

    See Also
    --------
    load_topic_model : Load a saved topic model.

    Notes
    -----
    ``BERTopic.load`` does not read the manifest. If a save is killed while its files are moved to
    their places, which takes a few renames, config.json is absent and BERTopic.load fails with
    FileNotFoundError; load_topic_model works, and the next save repairs the folder. On Windows, a
    file that is being read cannot be replaced: the save fails and the older one stays.

    `memory` of LeidenClustering and `device` are not saved, as they depend on the machine.

    Of a hosted model, the backend's class, the model's name and the options that its rows depend
    on are saved; never a key, a header or an address.
    """
    check_arguments(
        locals(),
        topic_model=TOPIC_MODEL,
        path=PATH,
        save_embedding_model=flag(),
        save_rows=flag(),
    )
    backend = topic_model.embedding_model
    if not isinstance(backend, MatryoshkaBackend):
        raise TypeError(
            f"embedding_model is of type {type(backend).__name__} and must be a MatryoshkaBackend. "
            "Use topic_model.save(path, serialization='safetensors') for others."
        )
    if topic_model.topics_ is None:
        raise ValueError("The topic model is not fitted. Call fit before saving it.")
    folder = Path(path)
    _refuse_what_others_unpickle(folder)
    recipe = backend.recipe()
    if recipe.get("model") and Path(recipe["model"]).resolve() == (folder / MODEL_FOLDER).resolve():
        save_embedding_model = True  # it was loaded from here, and would be gone
    if recipe.get("model") and Path(recipe["model"]).is_dir():
        recipe["model"] = str(Path(recipe["model"]).absolute())  # to be found from elsewhere
    source = backend._source  # noqa: SLF001
    if save_embedding_model and not source.saves_weights:
        raise ValueError(
            f"save_embedding_model=True, but {backend.name} is no model of sentence-transformers. "
            "Leave it out, and pass load_topic_model(path, backend=...)."
        )
    if not save_embedding_model and (reason := source.why_not_saved()):
        _warn(
            f"{reason} Pass load_topic_model(path, backend=...)"
            + (", or save with save_embedding_model=True." if source.saves_weights else "."),
            stacklevel=2,
        )
    parts, arrays = _packed(topic_model, save_rows=save_rows)
    # Weights in a folder of another name are not found in the registry of published models.
    facts = source.facts
    if save_embedding_model:
        facts = backend.truncated(None).rotated(None).facts  # the model's own
    values = {
        "format_version": FORMAT_VERSION,
        "backend": recipe,
        "facts": None if facts is None else asdict(facts),
        "width": backend.embedding_dim,
        "has_embedding_model": bool(save_embedding_model),
        **parts,
    }

    def write(draft: Path) -> None:
        write_bertopic_files(topic_model, draft)
        if save_embedding_model:
            save_model(backend.embedding_model, draft / MODEL_FOLDER)
        save_file(arrays, draft / ARRAYS_FILE)
        # A save that cannot be loaded must not replace one that can.
        refuse_pickles(draft)
        check_bertopic_files(draft, values["width"], may_have_more=True)

    replace_files(folder, values, write, replaced=_of_older_save, last="config.json")


def load_topic_model(
    path: str | Path,
    *,
    backend: Any = None,
    device: str | None = None,
    trust_remote_code: bool = False,
) -> MatryoshkaBERTopic:
    """Load a topic model that :func:`save_topic_model` saved.

    Where reducer and clusterer were saved, ``transform`` assigns the same topics as before.

    Parameters
    ----------
    path : str or Path
        Folder of the save.
    backend : MatryoshkaBackend, a loaded model that it takes, or None, default=None
        Embedding model to use, needed if neither its name nor its weights were saved, as of a
        function; it gets the lexical view that was saved. None builds the backend that was saved;
        its model is loaded at first use.
    device : str or None, default=None
        Device of the embedding model; it is not saved.
    trust_remote_code : bool, default=False
        Must be True for a model that was saved with trust_remote_code: a saved file alone does not
        permit running code.

    Returns
    -------
    topic_model : MatryoshkaBERTopic
        If its clusterer was not saved, ``hdbscan_model`` is BERTopic's BaseCluster.

    Raises
    ------
    FileNotFoundError
        If nothing was saved in the folder.
    SavedModelError
        If a file is damaged, missing or not part of the save; if the folder holds files that could
        run code (see Notes); if its format is newer than this release. The message names the file.
    ValueError
        If the model needs `backend` or `trust_remote_code`, or `backend` has another width,
        rotation or lexical view than the saved one, or is another model than the one that was
        rotated.

    Warns
    -----
    RuntimeWarning
        If hdbscan is not installed, so that BERTopic's transform would fail; see
        allow_missing_hdbscan.

    Notes
    -----
    Loading runs no code from the folder unless `trust_remote_code`. Every file's SHA-256 digest is
    checked before anything is built. Refused are: files that libraries unpickle, anywhere in the
    folder (.bin, .pkl, .pickle, .joblib, .pt, .pth, .ckpt, .dill); a model named in BERTopic's
    config.json, which BERTopic.load would load even if a backend is passed; and, unless
    `trust_remote_code`, an embedding model whose modules are not sentence-transformers' own, or
    that comes with code. Estimators are built from a fixed list of classes, and `memory`, a cache
    of pickles, is None.

    A hosted model's client is made by its library from the environment, at first use, and only the
    clients of OpenAI and Cohere. A file thus cannot name an address to send a key or texts to.

    Folders of format 1 have no digests; only the consistency of their files is checked. Save the
    model again to add digests.
    """
    check_arguments(locals(), path=PATH, trust_remote_code=flag())
    if device is not None:
        find_device(device)
    folder = Path(path)

    def build(version: Version) -> MatryoshkaBERTopic:
        state = _checked_state(version)
        arrays = read_arrays(version.content / ARRAYS_FILE)
        own = load_backend(
            version,
            state,
            _own(arrays, "rotation"),
            backend,
            device,
            view=_saved_view(state, version, arrays),
            trust_remote_code=trust_remote_code,
        )
        topic_model = MatryoshkaBERTopic.load(version.content, embedding_model=own)
        _restore_steps(topic_model, state, version, arrays)
        _restore_counts(topic_model, state, version, arrays)
        return topic_model

    try:
        topic_model = read_files(folder, build)
    except FileNotFoundError:
        file = folder / STATE_FILE
        if file.exists():
            raise
        if (folder / ARRAYS_FILE).exists():
            raise SavedModelError(f"{file} is missing. {REMEDY}") from None
        raise FileNotFoundError(
            f"{file} is missing: {folder} was not written by save_topic_model. "
            "BERTopic.load reads what topic_model.save wrote."
        ) from None
    if type(topic_model.hdbscan_model) is not BaseCluster:
        warn_of_missing_hdbscan()
    return topic_model


def _checked_state(version: Version) -> dict[str, Any]:
    """Read matryoshka.json and check all other files against it."""
    file, content = version.file, version.content
    state: dict[str, Any] = read_json(file, version.text)
    check_keys(state, {"format_version"}, file, optional=state)
    if state["format_version"] not in range(1, FORMAT_VERSION + 1):
        raise SavedModelError(
            f"{file} has format_version={state['format_version']!r}, and this release reads up to "
            f"{FORMAT_VERSION}. Upgrade bertopic-matryoshka."
        )
    has_digests = state["format_version"] > 1
    check_state(state, file)
    for folder in {file.parent, content}:
        refuse_pickles(folder)
    if has_digests:
        images = [IMAGES] if (content / IMAGES / "0.jpg").exists() else []
        model = [MODEL_FOLDER] if state["has_embedding_model"] else []
        check_digests(version, state, [*BERTOPIC_FILES, ARRAYS_FILE, *images, *model])
    check_bertopic_files(content, state["width"], may_have_more=has_digests)
    return state


def _saved_view(state: dict[str, Any], version: Version, arrays: Arrays) -> LexicalView | None:
    """Rebuild the lexical view of the saved backend; None if it had none."""
    if state.get(VIEW) is None:
        return None
    try:
        return unpack_view(state[VIEW], _own(arrays, VIEW))
    except (KeyError, TypeError, ValueError) as error:
        raise SavedModelError(f"{version.file}, {VIEW}: {error} {REMEDY}") from error


def _restore_steps(
    topic_model: BERTopic, state: dict[str, Any], version: Version, arrays: Arrays
) -> None:
    """Restore the reducer and clusterer of a loaded topic model."""
    steps = {}
    for role in ("reducer", "clusterer"):
        if state[role] is not None:
            try:
                steps[role] = unpack(state[role], _own(arrays, role), SAFE_ESTIMATORS)
            except (KeyError, TypeError, ValueError) as error:
                raise SavedModelError(f"{version.file}, {role}: {error} {REMEDY}") from error
            _forget_machine(steps[role])
    if "reducer" in steps:
        topic_model.umap_model = ExpectWidth(clone(steps["reducer"], safe=False), state["width"])
        topic_model.umap_model.reducer_ = steps["reducer"]
        # Without its reducer, a clusterer would get embeddings of a space it was not fitted in.
        topic_model.hdbscan_model = steps.get("clusterer", topic_model.hdbscan_model)


def _restore_counts(
    topic_model: BERTopic, state: dict[str, Any], version: Version, arrays: Arrays
) -> None:
    """Restore the vectorizer of a stream, so that partial_fit can go on."""
    if state.get(COUNTS) is not None:
        own, loaded = _own(arrays, COUNTS), topic_model.vectorizer_model
        try:
            topic_model.vectorizer_model = unpack_counts(state[COUNTS], own, loaded)
        except (KeyError, TypeError, ValueError) as error:
            raise SavedModelError(f"{version.file}, {COUNTS}: {error} {REMEDY}") from error


def _forget_machine(estimator: Any) -> None:
    """Reset what depends on the machine: the device, and the cache, which holds pickles."""
    for name in ("device", "memory"):
        if hasattr(estimator, name):
            setattr(estimator, name, None)


def _packed(topic_model: BERTopic, *, save_rows: bool) -> tuple[dict[str, Any], Arrays]:
    """Pack what BERTopic's files lack: reducer, clusterer, word counts, rotation, lexical view.

    A reducer or clusterer that has no safe format is None, with a warning; a LeidenClustering
    without its rows is None too.
    """
    parts: dict[str, Any] = {}
    arrays: Arrays = {}
    backend = topic_model.embedding_model
    if backend.rotation is not None:
        arrays |= _named("rotation", backend.rotation.arrays)
    if backend.lexical_view is not None:
        parts[VIEW], own = pack_view(backend.lexical_view)
        arrays |= _named(VIEW, own)
    counts, own = pack_counts(topic_model.vectorizer_model)
    if counts is not None:
        parts[COUNTS] = counts
        arrays |= _named(COUNTS, own)
    for role, estimator in _steps(topic_model).items():
        if isinstance(estimator, LeidenClustering) and not save_rows:
            parts[role] = None
            continue
        reason = _why_unsafe(estimator)
        if reason is None:
            estimator = copy.copy(estimator)  # noqa: PLW2901
            _forget_machine(estimator)
            parts[role], own = pack(estimator)
            arrays |= _named(role, own)
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
        "reducer": reducer.reducer_ if isinstance(reducer, ExpectWidth) else reducer,
        "clusterer": topic_model.hdbscan_model,
    }


def _why_unsafe(estimator: Any) -> str | None:
    if type(estimator) in SAFE_ESTIMATORS:
        return None
    names = ", ".join(sorted(cls.__name__ for cls in SAFE_ESTIMATORS))
    module = type(estimator).__module__.partition(".")[0]
    return f"{module}.{type(estimator).__name__} has no safe format; those with one: {names}."


def _refuse_what_others_unpickle(folder: Path) -> None:
    """Refuse to save where load_topic_model would refuse to load."""
    for file in find_pickles(folder):
        if file.parent != folder or file.name not in BERTOPIC_FILES:  # those are replaced
            raise SavedModelError(
                f"{file} may be a pickle, and load_topic_model reads no folder with one in it. "
                "Move it, or give the topic model a folder of its own."
            )


def _of_older_save(folder: Path) -> set[str]:
    """Name what an older save wrote into a folder; BERTopic's own files count as one."""
    state, topics = (_read_any(folder / name) for name in (STATE_FILE, "topics.json"))
    names = {*BERTOPIC_FILES, ARRAYS_FILE}
    names |= {name.partition("/")[0] for name in state.get("files", {})}
    if state.get("has_embedding_model"):
        names.add(MODEL_FOLDER)
    if "Visual_Aspect" in topics.get("topic_aspects", {}):
        names.add(IMAGES)
    elif (folder / IMAGES / "0.jpg").exists():
        raise FileExistsError(
            f"{folder / IMAGES} is not of a saved topic model, but BERTopic.load would read it as "
            "the topics' images. Move it, or give the topic model a folder of its own."
        )
    return names


def _read_any(file: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one if the file is missing or not a JSON object."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(role: str, arrays: Arrays) -> Arrays:
    return {f"{role}.{name}": array for name, array in arrays.items()}


def _own(arrays: dict[str, Any], role: str) -> dict[str, Any]:
    prefix = f"{role}."
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}


def _warn(message: str, *, stacklevel: int) -> None:
    warnings.warn(message, LossySaveWarning, stacklevel=stacklevel + 1)

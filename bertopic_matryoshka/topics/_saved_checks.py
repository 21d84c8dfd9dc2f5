"""The files of a saved topic model -> checked before anything is built from them.

Digests detect damage, but not tampering, as anyone can write digests too. So no file is read that
could run code, and values that BERTopic would use unchecked are checked first.
"""

from __future__ import annotations

import inspect
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic import BERTopic
from safetensors import SafetensorError
from safetensors.numpy import load
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka.embedding import MatryoshkaBackend, ModelFacts
from bertopic_matryoshka.exceptions import SavedModelError
from bertopic_matryoshka.topics._saved_counts import COUNTS, OWN_PARAMETERS
from bertopic_matryoshka.topics._saved_folder import REMEDY, WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

PICKLES = (".bin", ".ckpt", ".dill", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
TRUST = (
    "If you trust who made it, pass trust_remote_code=True. backend=... does without the saved "
    "embedding model."
)
# Read by the tokenizers library, which runs nothing; their keys are any words.
_WORD_LISTS = frozenset({"added_tokens.json", "tokenizer.json", "vocab.json"})

# What format 1 has; newer releases may add to them, and read older files.
_STATE = {"format_version", "backend", "facts", "width", "has_embedding_model"}
_STEPS = ("reducer", "clusterer")
_RECIPE = {
    *("truncate_dim", "dims", "batch_size", "encode_kwargs"),
    *("dtype", "revision", "trust_remote_code"),
}
_FACTS = {"dims", "prompt", "encode_kwargs", "before_slicing", "dims_source", "any_width"}
_VIEW = {"weight", "random_state", "vectorizer", "words"}
_TOPICS = {
    *("topic_representations", "topics", "topic_sizes", "topic_mapper", "topic_labels"),
    *("custom_labels", "_outliers", "topic_aspects"),
}


def read_json(file: Path, text: bytes | None = None) -> Any:
    """Read a JSON file of a saved model, or its text where that was read already.

    Raises
    ------
    SavedModelError
        If it is missing or not JSON.
    """
    try:
        return json.loads(file.read_bytes() if text is None else text)
    except FileNotFoundError:
        raise SavedModelError(f"{file} is missing. {REMEDY}") from None
    except ValueError as error:
        raise SavedModelError(f"{file} is damaged: {error}. {REMEDY}") from error


def check_state(state: dict[str, Any], file: Path) -> None:
    """Check that matryoshka.json has the values of its format, and no others."""
    signed = {"sha256", "files"} if state["format_version"] > 1 else set()
    check_keys(state, _STATE | set(_STEPS) | signed, file, optional={"lexical_view", COUNTS})
    parameters = set(inspect.signature(MatryoshkaBackend).parameters) - {"device"}
    parameters |= {"hosted", "precomputed", "rotation"}
    check_keys(state["backend"], _RECIPE, file, optional=parameters, of="backend")
    if "rotation" in state["backend"]:
        check_keys(state["backend"]["rotation"], {"key", "rank", "n_rows"}, file, of="rotation")
    if state["facts"] is not None:
        known = {field.name for field in fields(ModelFacts)}
        check_keys(state["facts"], _FACTS, file, optional=known, of="facts")
    for role in _STEPS:
        if state[role] is not None:
            check_keys(state[role], {"class", "sklearn_version", "values"}, file, of=role)
            check_keys(state[role]["values"], None, file, of=f"{role}.values")
    if state.get("lexical_view") is not None:
        view = state["lexical_view"]
        check_keys(view, _VIEW, file, of="lexical_view")
        check_keys(view["vectorizer"], {"class", "parameters"}, file, of="lexical_view.vectorizer")
        check_keys(view["vectorizer"]["parameters"], None, file, of="lexical_view.parameters")
    if state.get(COUNTS) is not None:
        check_keys(state[COUNTS], set(OWN_PARAMETERS), file, of=COUNTS)
    width = state["width"]
    if not isinstance(width, int) or isinstance(width, bool) or width < 1:
        raise SavedModelError(f"{file} has width={width!r}, which must be an int >= 1. {REMEDY}")
    if signed:
        check_keys(state["files"], None, file, of="files")


def check_keys(
    values: Any,
    required: Collection[str] | None,
    file: Path,
    *,
    optional: Collection[str] = (),
    of: str = "",
) -> None:
    """Check that `values` is a JSON object with those keys; None allows any."""
    part = f"{file}, {of}," if of else f"{file}"
    if not isinstance(values, dict):
        raise SavedModelError(f"{part} must be a JSON object, not {values!r:.40}. {REMEDY}")
    if required is None:
        return
    unknown, missing = set(values) - set(required) - set(optional), set(required) - set(values)
    for keys, what in ((unknown, "an unknown key"), (missing, "no key")):
        if keys:
            raise SavedModelError(
                f"{part} has {what} {', '.join(map(repr, sorted(keys)))}. {REMEDY}"
            )


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Read a safetensors file of a saved model.

    Raises
    ------
    SavedModelError
        If it is missing or damaged.
    """
    try:
        return load(file.read_bytes())
    except FileNotFoundError:
        raise SavedModelError(f"{file} is missing. {REMEDY}") from None
    except SafetensorError as error:
        raise SavedModelError(f"{file} is damaged: {error}. {REMEDY}") from error


def check_bertopic_files(content: Path, width: int, *, may_have_more: bool) -> None:
    """Check what BERTopic.load would use unchecked, or leave out silently.

    Parameters
    ----------
    content : Path
        Folder of BERTopic's own files.
    width : int
        Width of the embeddings that the model was fitted on.
    may_have_more : bool
        Whether topics.json may have keys that are not known here, of a newer BERTopic.

    Raises
    ------
    SavedModelError
        If config.json names an embedding model, which BERTopic.load would load, or has another
        key that is no parameter of BERTopic; if topics are out of range; if arrays are damaged or
        do not fit each other.
    """
    file = content / "config.json"
    config = read_json(file)
    known = set(inspect.signature(BERTopic.__init__).parameters) - {"self"}
    models = {name for name in known if name.endswith("_model")}
    check_keys(config, {"n_gram_range"}, file, optional=known)
    for name in sorted(models & set(config)):
        raise SavedModelError(
            f"{file} names a model, {name}={config[name]!r}, which BERTopic.load would load even "
            f"where a backend is given. Remove the entry if you trust the rest. {REMEDY}"
        )
    file = content / "topics.json"
    topics = read_json(file)
    more = set(topics) if may_have_more and isinstance(topics, dict) else ()
    check_keys(topics, _TOPICS, file, optional=more)
    _check_topics(topics, file)
    file = content / "topic_embeddings.safetensors"
    embeddings = read_arrays(file).get("topic_embeddings", np.empty(0))
    if embeddings.ndim == 2 and embeddings.shape[1] != width:
        raise SavedModelError(
            f"{file} has embeddings {embeddings.shape[1]} wide, but the topic model was fitted on "
            f"{width}. {REMEDY}"
        )
    if embeddings.ndim == 2 and max(topics["topics"], default=-1) >= len(embeddings):
        raise SavedModelError(
            f"{file} has {len(embeddings)} rows, too few for topic {max(topics['topics'])} in "
            f"topics.json. {REMEDY}"
        )
    if (content / "ctfidf.safetensors").exists() or (content / "ctfidf_config.json").exists():
        _check_ctfidf(content)


def _check_ctfidf(content: Path) -> None:
    """Check the words' weights, which BERTopic.load leaves out where it cannot read them."""
    file = content / "ctfidf_config.json"
    config = read_json(file)
    check_keys(config, {"ctfidf_model", "vectorizer_model"}, file)
    models = {"bm25_weighting", "reduce_frequent_words"}
    check_keys(config["ctfidf_model"], models, file, of="ctfidf_model")
    vectorizer = config["vectorizer_model"]
    check_keys(vectorizer, {"params", "vocab"}, file, of="vectorizer_model")
    known = set(CountVectorizer().get_params())
    check_keys(vectorizer["params"], {"ngram_range"}, file, optional=known, of="params")
    check_keys(vectorizer["vocab"], None, file, of="vocab")
    file = content / "ctfidf.safetensors"
    arrays = read_arrays(file)
    check_keys(arrays, {"data", "indices", "indptr", "shape", "diag"}, file)
    try:
        csr_matrix(
            (arrays["data"], arrays["indices"], arrays["indptr"]), shape=arrays["shape"]
        ).check_format()
    except ValueError as error:
        raise SavedModelError(f"{file} is damaged: {error}. {REMEDY}") from error


def _check_topics(topics: dict[str, Any], file: Path) -> None:
    words, mapper = topics["topic_representations"], topics["topic_mapper"]
    for part in ("topic_representations", "topic_sizes", "topic_labels"):
        check_keys(topics[part], None, file, of=part)
    labels = topics["topics"]
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise SavedModelError(
            f"{file}, topics, must be a list of ints, not {labels!r:.40}. {REMEDY}"
        )
    for label in sorted(set(labels)):
        if str(label) not in words:
            raise SavedModelError(
                f"{file}, topics, has {label!r}, which is not one of its {len(words)} topics: "
                f"{', '.join(list(words)[:5])}... {REMEDY}"
            )
    if not isinstance(mapper, list) or not all(
        isinstance(row, list) and row and all(isinstance(topic, int) for topic in row)
        for row in mapper
    ):
        raise SavedModelError(f"{file}, topic_mapper, must hold lists of ints. {REMEDY}")
    for row in mapper:
        if row[-1] != -1 and str(row[-1]) not in words:
            raise SavedModelError(
                f"{file}, topic_mapper, has {row[-1]}, which is not one of its topics. {REMEDY}"
            )


def find_pickles(folder: Path) -> list[Path]:
    """List the files in a folder that libraries would unpickle, by suffix."""
    return [file for file in _walk(folder) if file.suffix.lower() in PICKLES]


def refuse_pickles(folder: Path) -> None:
    """Refuse a folder that has, at any depth, a file that libraries would unpickle.

    Raises
    ------
    SavedModelError
        The message names the file.
    """
    for file in find_pickles(folder):
        raise SavedModelError(
            f"{file} may be a pickle, and reading a pickle runs what is in it. A saved topic model "
            "holds JSON and safetensors only. Move the file elsewhere."
        )


def refuse_foreign_code(model_folder: Path) -> None:
    """Refuse an embedding model that needs code other than sentence-transformers' own.

    Raises
    ------
    SavedModelError
        The message names the file and what in it would run.
    """
    for file in _walk(model_folder):
        if file.is_dir():
            raise SavedModelError(f"{file} is a link to a folder elsewhere. Copy its files here.")
        if file.suffix == ".py":
            raise SavedModelError(f"{file} is code that comes with the model. {TRUST}")
        if file.suffix != ".json" or file.name in _WORD_LISTS:
            continue
        values = read_json(file)
        for key, value in _entries(values):
            if _would_run(key, value):
                raise SavedModelError(
                    f"{file} has {key!r}: {value!r:.80}, and following it runs code that is not "
                    f"sentence-transformers' own. {TRUST}"
                )
        for module in _module_names(file.name, values):
            _check_module(module, file)


def _module_names(name: str, values: Any) -> list[Any]:
    """List the classes that sentence-transformers would import for a file of that name."""
    if name == "modules.json" and isinstance(values, list):
        return [module.get("type") if isinstance(module, dict) else module for module in values]
    if name == "router_config.json" and isinstance(values, dict):
        return list(values.get("types", {}).values())
    return []


def _check_module(name: Any, file: Path) -> None:
    """Check that a name in modules.json is that of a module in sentence-transformers."""
    from sentence_transformers.util import import_from_string
    from torch.nn import Module

    found: Any = None
    if isinstance(name, str) and name.startswith("sentence_transformers."):
        try:
            found = import_from_string(name)
        except ImportError as error:
            raise SavedModelError(
                f"{file} has the module {name!r}, which this sentence-transformers lacks. "
                "Upgrade it, or pass backend=... to use another embedding model."
            ) from error
    if not (isinstance(found, type) and issubclass(found, Module)):
        raise SavedModelError(
            f"{file} has the module {name!r}, which is not one of sentence-transformers. {TRUST}"
        )


def _would_run(key: str, value: Any) -> bool:
    """Tell whether a library would import or download code for an entry of a configuration."""
    if key in {"auto_map", "trust_remote_code"}:
        return bool(value)
    if not isinstance(value, str):
        return False
    if key in {"activation_function", "activation_fn"}:  # GPT-2 has names without a dot
        return "." in value and not value.startswith(("torch.nn.", "sentence_transformers."))
    if key == "tokenizer_class":
        return "." in value and not value.startswith("sentence_transformers.")
    return key.endswith("attn_implementation") and "/" in value  # a kernel on the model hub


def _entries(values: Any) -> Iterator[tuple[str, Any]]:
    """Give the entries of JSON objects, however deep."""
    if isinstance(values, dict):
        yield from values.items()
        values = list(values.values())
    if isinstance(values, list):
        for value in values:
            yield from _entries(value)


def _walk(folder: Path) -> Iterator[Path]:
    """Give the files in a folder, and links to folders, but not what killed saves left."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(WORK))
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*files, *links]))

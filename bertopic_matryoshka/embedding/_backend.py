"""Documents -> embeddings: a BERTopic backend that truncates Matryoshka embeddings."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.backend import BaseEmbedder
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka._constraints import check_arguments, choice, flag, instance, whole
from bertopic_matryoshka._fork import about_to_use_threads
from bertopic_matryoshka._validation import check_at_least, check_dim, list_of_strings
from bertopic_matryoshka.embedding._facts import ModelFacts, name_of
from bertopic_matryoshka.embedding._lexical_view import (
    LexicalView,
    join_rows,
    warn_of_unknown_words,
)
from bertopic_matryoshka.embedding._loading import BACKENDS
from bertopic_matryoshka.embedding._long_texts import (
    LONG_TEXTS,
    long_texts,
    mean_of_pieces,
    warn_of_cut_texts,
)
from bertopic_matryoshka.embedding._other_languages import warn_of_other_language
from bertopic_matryoshka.embedding._pretrained import save_rotated_model
from bertopic_matryoshka.embedding._principal_rotation import SAMPLE_SIZE, PrincipalRotation
from bertopic_matryoshka.embedding._rotation import PROBE, Rotation, fit_rotation
from bertopic_matryoshka.embedding._source import ModelSource, source_of
from bertopic_matryoshka.embedding._steps import Steps
from bertopic_matryoshka.embedding._truncate import cut_rows, warn_of_zero_rows
from bertopic_matryoshka.embedding._width import (
    NO_WIDTH,
    checked_dims,
    warn_of_untrained_width,
)
from bertopic_matryoshka.embedding._wrapped import WrappedSource
from bertopic_matryoshka.exceptions import LossySaveWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import EllipsisType

    import pandas as pd
    import torch
    from numpy.typing import NDArray

# What the backend decides itself; an encode_kwargs entry would contradict it.
_OWN_ENCODE_KWARGS = frozenset(
    {
        "batch_size",
        "convert_to_numpy",
        "convert_to_tensor",
        "device",
        "normalize_embeddings",
        "output_value",
        "precision",
        "prompt",
        "prompt_name",
        "sentences",
        "truncate_dim",
    }
)


class MatryoshkaBackend(BaseEmbedder):  # type: ignore[misc]
    """A BERTopic backend that truncates the embeddings of a sentence-transformers model.

    Each text goes through the model's own modules, then through the step that the model's card
    asks for before slicing, if any, and the rotation of :meth:`rotated`, if any. The row is then
    truncated to `truncate_dim` and normalised to unit length. Documents and words take the same
    path, **prompt included**, because BERTopic compares them by cosine (KeyBERTInspired, MMR,
    find_topics, zero-shot): with different prompts they would lie in different spaces.

    Parameters
    ----------
    model : str, Path, SentenceTransformer, BaseEmbedder, Pipeline, callable or None, default=None
        Name on the model hub or folder, loaded at first use; a loaded model, which is never
        changed; None for the model that ships with this package. Or one of BERTopic's own
        backends, a model that BERTopic makes a backend of (a fitted scikit-learn pipeline, models
        of Model2Vec, spaCy, Flair or gensim), or a function from a list of texts to an array of
        shape (n_texts, width), see Notes.
    truncate_dim : int or None, default=None
        Number of leading dimensions to keep, from 1 to the model's full width. None keeps all that
        the model gives.
    dims : sequence of int or None, default=None
        Widths that the model was trained at. None looks for them in the model's config.json,
        then in the MatryoshkaLoss of its model card, then in the registry of published models.
    n_layers : int or None, default=None
        Number of the transformer's first layers to run, see first_layers, which is what makes
        encoding faster. A model that was not trained for it is worse. None runs all.
    prompt : str, None or Ellipsis, default=...
        Text to put before each text. The default, an Ellipsis, takes the model's own prompt for
        clustering where it is known, from the model or from the registry. None adds no prompt.
    device : str, list of str or None, default=None
        Device, such as "cuda", "mps" or "cpu". None leaves the choice to sentence-transformers, and
        puts the bundled model on the CPU. Several, such as ``["cuda:0", "cuda:1"]`` or
        ``["cpu"] * 4``, share the texts, if there are 1,000 for each: processes of
        sentence-transformers are started for each call. Fewer go to the first.
    dtype : str, torch.dtype or None, default=None
        Precision of the model's weights, such as "float16" or "bfloat16"; None leaves it. The
        embeddings are always float32.
    backend : {"torch", "onnx", "openvino"}, default="torch"
        What runs the model, see sentence-transformers, whose extras "onnx" and "openvino" install
        it. The embeddings are no longer those of torch to the last digits; with an int8 file they
        are further from them.
    model_kwargs : dict or None, default=None
        Further arguments of loading, of JSON types: of an ONNX or OpenVINO model "file_name",
        "provider" or "export"; of a torch model "attn_implementation".
    batch_size : int, default=32
        Number of texts per forward pass, >= 1; halved where a GPU runs out of memory.
    long_texts : {"truncate", "mean"}, default="truncate"
        What becomes of texts with more tokens than the model's window: "truncate" embeds the
        beginning, as sentence-transformers does, and a warning counts them. "mean" splits them
        between words, embeds all pieces, and averages their unit rows, weighted by tokens.
    revision : str or None, default=None
        Branch, tag or commit on the model hub.
    trust_remote_code : bool, default=False
        Whether to run code that comes with the model.
    encode_kwargs : dict or None, default=None
        Further keyword arguments for ``SentenceTransformer.encode``.
    permutation_seed : int or None, default=None
        Seed, >= 0, that permutes the dimensions before truncation, see :meth:`permuted`. None keeps
        their order.
    name : str or None, default=None
        Name of a function's or another library's rows, by which a store knows them again: give it
        another one whenever its rows change. None stores no rows of such a model, but those of a
        hosted one by what is saved of it, see Notes. A sentence-transformers model is known by its
        contents, and takes no name.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type or out of range, or `device`, `dtype`, `backend`,
        `model_kwargs`, `revision` or `trust_remote_code` is set for a model that is already loaded.
        Where the model is loaded at first use, a `truncate_dim` wider than the model, and a GPU
        that is not there, raise then.

    Warns
    -----
    TruncationWarning
        If the model is not known to be trained at `truncate_dim` or `n_layers`, texts are cut at
        its window, or texts give zero rows.

    Attributes
    ----------
    lexical_view : LexicalView or None
        View that is joined after truncation, see :meth:`with_view`.

    Notes
    -----
    Of a model that sentence-transformers does not load, one word is embedded to learn its width,
    unless the registry has it. The service truncates where it can and nothing needs the full width
    first; otherwise rows are cut here. Each `batch_size` texts are a call of their own. A hosted
    model's client retries by its own rules; if a call still fails, a RuntimeError says how many
    texts are done, and their rows are kept until the same texts are embedded again.

    With a topic model, only what describes an OpenAIBackend or a CohereBackend is saved, without
    key, headers and address; other models that sentence-transformers does not load are passed to
    load_topic_model as ``backend=``. A store needs `name` for them.

    See Also
    --------
    truncate : The same truncation of an array, to encode once and compare widths.

    Examples
    --------
    >>> from bertopic_matryoshka import MatryoshkaBackend
    >>> backend = MatryoshkaBackend(truncate_dim=64)
    >>> backend.embed(["one document", "another"]).shape
    (2, 64)
    >>> backend.dims
    (256, 128, 64, 32)
    """

    lexical_view: LexicalView | None = None

    def __init__(
        self,
        model: Any = None,
        *,
        truncate_dim: int | None = None,
        dims: Sequence[int] | None = None,
        n_layers: int | None = None,
        prompt: str | EllipsisType | None = ...,
        device: str | Sequence[str] | None = None,
        dtype: str | torch.dtype | None = None,
        backend: str = "torch",
        model_kwargs: dict[str, Any] | None = None,
        batch_size: int = 32,
        long_texts: str = "truncate",
        revision: str | None = None,
        trust_remote_code: bool = False,
        encode_kwargs: dict[str, Any] | None = None,
        permutation_seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        check_arguments(
            locals(),
            n_layers=whole(1, none=True, remedy="Leave it out to keep all layers."),
            backend=choice(BACKENDS),
            model_kwargs=instance(dict, none=True),
            long_texts=choice(LONG_TEXTS),
            revision=instance(str, none=True),
            trust_remote_code=flag(),
            encode_kwargs=instance(dict, none=True),
            permutation_seed=whole(0, none=True),
        )
        if not (prompt is None or prompt is ... or isinstance(prompt, str)):
            raise TypeError(f"prompt={prompt!r} must be a string, None for no prompt, or left out.")
        contradicted = sorted(_OWN_ENCODE_KWARGS & set(encode_kwargs or {}))
        if contradicted:
            raise ValueError(
                f"encode_kwargs={contradicted} would contradict the backend, which sets them. "
                "Use the backend's own parameters; rows always have unit length in float32."
            )
        self.truncate_dim = truncate_dim
        self.prompt = prompt
        check_at_least(batch_size, 1, name="batch_size", remedy="Leave it out for 32.")
        self.batch_size = int(batch_size)
        self.encode_kwargs = dict(encode_kwargs or {})
        self.long_texts = long_texts
        self.permutation_seed = permutation_seed
        self._rotation: Rotation | None = None
        self._rotation_is_checked = True
        self._given_dims = None if dims is None else checked_dims(dims)
        self._width_is_checked = False
        if isinstance(model, MatryoshkaBackend):
            raise TypeError(
                f"model is a MatryoshkaBackend already: {model!r}. Take it as it is, or "
                "model.truncated(truncate_dim) for another width of the same model."
            )
        self._source: ModelSource | WrappedSource = source_of(
            model,
            device=device,
            dtype=dtype,
            backend=None if backend == "torch" else backend,
            model_kwargs=model_kwargs,
            revision=revision,
            trust_remote_code=trust_remote_code,
            n_layers=n_layers,
            own_name=name,
        )
        if long_texts == "mean" and isinstance(self._source, WrappedSource):
            raise ValueError(
                f"long_texts='mean' needs the tokens of a sentence-transformers model, which "
                f"{self._source.label} is not. Split the texts before."
            )
        if self.encode_kwargs and isinstance(self._source, WrappedSource):
            raise ValueError(
                f"encode_kwargs={self.encode_kwargs!r} is for sentence-transformers. Set it on "
                f"{self._source.label} instead."
            )
        self._check_width()

    @property
    def embedding_model(self) -> Any:
        """The sentence-transformers model, loaded at first use; any other model as it was given."""
        model = self._source.load()
        self._check_width_once()
        return model

    @embedding_model.setter
    def embedding_model(self, _: None) -> None:
        """Ignore the None that BaseEmbedder.__init__ sets."""

    @property
    def _hf_model(self) -> str:
        """Warn that BERTopic's own save is lossy. It looks here for the name of a hub's model.

        A model by name alone would lose the width and the prompt, so there is none.
        """
        warnings.warn(
            "BERTopic.save leaves out the reducer, the clusterer and this backend's width and "
            "prompt. After BERTopic.load, transform takes the topic with the nearest mean "
            "embedding, which is another one for some documents, those of the fit too. "
            "save_topic_model(topic_model, folder) keeps all of it, and BERTopic.load reads what "
            "it writes.",
            LossySaveWarning,
            stacklevel=3,  # the call of BERTopic.save
        )
        raise AttributeError("_hf_model")

    @property
    def name(self) -> str:
        """The model's name or folder, for messages and reports."""
        layers = f", {self._source.n_layers} layers" if self._source.n_layers is not None else ""
        return self._source.label + layers + (", rotated" if self._rotation is not None else "")

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._source.is_loaded

    @property
    def embeds_texts(self) -> bool:
        """Whether it can embed texts; False with a PrecomputedBackend as its model."""
        return self._source.embeds_texts

    @property
    def full_dim(self) -> int:
        """Width of the model without truncation; loads the model."""
        width = self._source.width()
        self._check_width_once()
        return width

    @property
    def embedding_dim(self) -> int:
        """Width of this backend's rows; loads the model if `truncate_dim` is None."""
        view = self.lexical_view
        return self._truncated_dim + (0 if view is None else len(view.components_))

    @property
    def _truncated_dim(self) -> int:
        """Width of the truncated embeddings, without a view."""
        if self.truncate_dim is not None:
            return self.truncate_dim
        return self._source.default_dim()

    @property
    def facts(self) -> ModelFacts:
        """What is known about the model; loads it."""
        facts = self._source.own_facts()
        self._check_width_once()
        return self._adjusted(facts)

    @property
    def known_facts(self) -> ModelFacts:
        """What is known without loading a model from the hub: by its name, from the registries.

        For a folder, a loaded model and the bundled one, the same as `facts`.
        """
        return self._adjusted(self._source.known_facts())

    def _adjusted(self, facts: ModelFacts) -> ModelFacts:
        """Put in place what the caller and a rotation or permutation say of the model's facts."""
        if self._given_dims is not None:
            facts = replace(facts, dims=self._given_dims, dims_source="the caller")
        if self._rotation is not None:
            facts = replace(facts, dims=self._rotation.dims, dims_source="its rotation")
        if self._rotation is not None or self.permutation_seed is not None:
            facts = replace(facts, near_zero=(), near_zero_source="unknown")
        return facts

    @property
    def dims(self) -> tuple[int, ...] | None:
        """Widths that the model was trained at, descending; None where unknown. Loads the model.

        After a rotation, to which any width does, the full width and powers of two down to 32.
        """
        return self.facts.dims

    @property
    def rotation(self) -> Rotation | None:
        """The rotation before truncation, see :meth:`rotated`; None without one."""
        return self._rotation

    @property
    def effective_prompt(self) -> str:
        """Text put before each text, possibly empty; loads the model if `prompt` was left out."""
        if self.prompt is ...:
            return self.facts.prompt or ""
        return self.prompt or ""

    def embed(self, documents: Iterable[str], verbose: bool = False) -> NDArray[np.float32]:
        """Embed texts, documents and words alike.

        Parameters
        ----------
        documents : iterable of str
            A repeated text goes through the model once, and has the same row each time.
        verbose : bool, default=False
            Whether to show a progress bar.

        Returns
        -------
        embeddings : ndarray of shape (n_documents, embedding_dim), float32, unit rows
            Shape (0, embedding_dim) for no documents. An empty text may give a zero row.

        Raises
        ------
        TypeError
            If `documents` is a single string, or one of them is not a string; the message gives
            its position.
        ValueError
            If `truncate_dim` is wider than the model, or the model gives NaN or infinite values.

        Warns
        -----
        TruncationWarning
            If texts give zero rows, with their positions, or are cut at the model's window, with
            their number and the first one's position among the different texts.
        RuntimeWarning
            If texts have no word of the lexical view, or are in another language than the bundled
            model's, with their share.
        """
        texts = list_of_strings(documents)
        self._warn_of_texts(texts)
        embeddings, zero = self._embed(texts, verbose=verbose)
        if self.lexical_view is not None:
            warn_of_unknown_words(embeddings[:, self._truncated_dim :])
        warn_of_zero_rows(zero, embeddings.shape[1])
        return embeddings

    def embed_raw(self, documents: Iterable[str], verbose: bool = False) -> NDArray[np.float32]:
        """Embed texts at full width, without the last step: rows keep the length they had.

        A Normalize at the end of the model is left out, and so are `truncate_dim` and the lexical
        view. Divided by their lengths, the rows are those of ``truncated(None).embed``.

        Parameters
        ----------
        documents : iterable of str
            A repeated text goes through the model once.
        verbose : bool, default=False
            Whether to show a progress bar.

        Returns
        -------
        rows : ndarray of shape (n_documents, full_dim), float32
            Of unit length where the model normalises elsewhere than in a last Normalize.

        Raises
        ------
        TypeError
            If `documents` is a single string, or one of them is not a string.
        """
        texts = list_of_strings(documents)
        if not texts:
            return np.zeros((0, self.full_dim), dtype=np.float32)
        distinct, places = _without_repeats(texts)
        self._check_rotation()
        full = self._steps.apply(self._encode(distinct, self.full_dim, verbose=verbose, raw=True))
        return full[places].astype(np.float32, copy=False)

    def embed_documents(self, document: Iterable[str], verbose: bool = False) -> Any:
        """Embed documents, see :meth:`embed`; BERTopic calls this name."""
        return self.embed(document, verbose)

    def embed_words(self, words: Iterable[str], verbose: bool = False) -> Any:
        """Embed words into the documents' space, with the same prompt, see :meth:`embed`.

        Of another library's backend, its ``embed_words`` is called.

        The empty words with which BERTopic pads short topics may give zero rows, without a warning.
        A word that a lexical view does not know has its embedding alone, without a warning.
        """
        texts = list_of_strings(words)
        embeddings, zero = self._embed(texts, verbose=verbose, words=True)
        zero &= np.array([bool(text.strip()) for text in texts], dtype=bool)
        warn_of_zero_rows(zero, embeddings.shape[1])
        return embeddings

    def truncated(self, truncate_dim: int | None) -> MatryoshkaBackend:
        """Return a backend of the same model at another width.

        Parameters
        ----------
        truncate_dim : int or None
            Number of dimensions, from 1 to the model's full width; None for all that it gives.

        Returns
        -------
        backend : MatryoshkaBackend
            Shares the model with this one, loaded or not.

        Raises
        ------
        TypeError, ValueError
            If `truncate_dim` is not an int, or out of range; see the class for when.
        """
        backend = self._copy()
        backend.truncate_dim = truncate_dim
        backend._width_is_checked = False  # noqa: SLF001  (its own class)
        backend._check_width()  # noqa: SLF001  (its own class)
        return backend

    def rotated(
        self,
        data: Iterable[str] | NDArray[np.floating] | PrincipalRotation | Rotation | None,
        *,
        sample_size: int | None = SAMPLE_SIZE,
        random_state: int | None = 0,
    ) -> MatryoshkaBackend:
        """Return a backend of the same model whose every prefix is a good one.

        The rows are rotated before truncation, so that the first dimensions hold the most of them,
        see PrincipalRotation. A model that was not trained to be truncated can then be. Documents
        and words are rotated alike, and at full width no similarity changes.

        Parameters
        ----------
        data : iterable of str, ndarray of shape (n_rows, full_dim), PrincipalRotation, Rotation \
or None
            Documents like those to be embedded, of which equal ones count once; or embeddings of
            this model at full width, before any rotation; or a transformer that was fitted to
            such embeddings with ``n_components=None``; or another backend's `rotation`. None
            takes the rotation away.
        sample_size : int or None, default=5000
            Number of documents or rows to draw, >= 1. Only these documents are embedded.
        random_state : int or None, default=0
            Seed of the sample.

        Returns
        -------
        backend : MatryoshkaBackend
            Shares the model with this one, loaded or not. Replaces an earlier rotation.

        Raises
        ------
        TypeError
            If a document is not a string, or `sample_size` is not an int.
        ValueError
            If there are no documents, a row is not finite, all are zero, or the embeddings or the
            rotation are of another width or model. A Rotation for a model that is not loaded
            raises at first use.

        Warns
        -----
        TruncationWarning
            If `truncate_dim` is more than the axes that the rows determine, which are at most as
            many as the rows.

        Notes
        -----
        Embeddings that are passed on to BERTopic or compare_dimensions beside this backend must be
        rotated too: take them from its ``embed``. Those of the backend before the rotation have
        the same width, so that no check can find them.

        Examples
        --------
        >>> from bertopic_matryoshka import MatryoshkaBackend
        >>> texts = [f"document number {i} of {i % 7}" for i in range(60)]
        >>> backend = MatryoshkaBackend().rotated(texts)
        >>> backend.truncated(16).embed(["another document"]).shape
        (1, 16)
        """
        backend = self._copy()
        if data is None or isinstance(data, Rotation):
            backend._rotation = data  # noqa: SLF001  (its own class)
        else:
            plain = self._plain()
            backend._rotation = fit_rotation(  # noqa: SLF001  (its own class)
                data,
                full_dim=plain.full_dim,
                embed=lambda texts: plain._embed(texts, verbose=False)[0],  # noqa: SLF001
                name=plain.name,
                sample_size=sample_size,
                random_state=random_state,
            )
        backend._rotation_is_checked = not isinstance(data, Rotation)  # noqa: SLF001
        if self._source.is_loaded:
            backend._check_rotation()  # noqa: SLF001  (its own class)
        backend._width_is_checked = False  # noqa: SLF001  (its own class)
        backend._check_width()  # noqa: SLF001  (its own class)
        return backend

    def permuted(self, random_state: int | None) -> MatryoshkaBackend:
        """Return a backend of the same model with its dimensions in another order.

        The dimensions are permuted before truncation, for documents and words alike. A width then
        keeps dimensions drawn at random instead of the first ones. This is a control for the value
        of their order, since Matryoshka training puts the important ones first.

        Parameters
        ----------
        random_state : int or None
            Seed of the permutation, >= 0; None is the model's own order. compare_dimensions draws
            another permutation with each of its seeds.

        Returns
        -------
        backend : MatryoshkaBackend
            Shares the model with this one, loaded or not.

        Examples
        --------
        >>> from bertopic_matryoshka import MatryoshkaBackend
        >>> control = MatryoshkaBackend().permuted(0).truncated(64)
        >>> control.embed(["one document"]).shape
        (1, 64)
        """
        if random_state is not None:
            check_at_least(random_state, 0, name="random_state")
        backend = self._copy()
        backend.permutation_seed = random_state
        return backend

    def with_view(self, view: LexicalView | None) -> MatryoshkaBackend:
        """Return a backend of the same model whose rows have a second view joined.

        Its rows are the truncated embedding and the view's row, see LexicalView.join, for documents
        and words alike. :meth:`truncated` cuts the embedding and leaves the view; `truncate_dim`,
        `full_dim` and `dims` are widths of the embedding, `embedding_dim` is that of the rows.
        `truncate`, compare_prefixes and inspect_dimensions cut rows from their end, and need rows
        without a view.

        Parameters
        ----------
        view : LexicalView or None
            Fitted; None for no view.

        Returns
        -------
        backend : MatryoshkaBackend
            Shares the model with this one, loaded or not.

        Raises
        ------
        TypeError
            If `view` is not a LexicalView.
        NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> from bertopic_matryoshka import LexicalView, MatryoshkaBackend, build_topic_model
        >>> docs = [f"{kind} number {i}" for kind in ("spline", "matrix") for i in range(20)]
        >>> backend = MatryoshkaBackend(truncate_dim=64).with_view(LexicalView(2).fit(docs))
        >>> backend.embedding_dim, backend.truncated(32).embedding_dim
        (66, 34)
        >>> topic_model = build_topic_model(backend)
        """
        if view is not None:
            if not isinstance(view, LexicalView):
                raise TypeError(
                    f"view is of type {type(view).__name__} and must be a LexicalView that is "
                    "fitted, such as LexicalView().fit(documents), or None."
                )
            check_is_fitted(view)
        backend = self._copy()
        backend.lexical_view = view
        return backend

    def recipe(self) -> dict[str, Any]:
        """Give the arguments that build this backend again elsewhere, as JSON types.

        The device is left out: it belongs to the machine. So is the lexical view, which is data.
        "model" is missing if the model was passed loaded. "hosted", in place of "model", describes
        a hosted one. "rotation", present after :meth:`rotated`, describes `rotation` and is no
        argument: pass that to ``rotated`` of the backend that is built.
        """
        recipe: dict[str, Any] = {
            "truncate_dim": self.truncate_dim,
            "dims": None if self._given_dims is None else list(self._given_dims),
            "batch_size": self.batch_size,
            "encode_kwargs": self.encode_kwargs,
            **({"long_texts": self.long_texts} if self.long_texts != "truncate" else {}),
            **self._source.recipe(),
        }
        if self.prompt is not ...:
            recipe["prompt"] = self.prompt
        if self.permutation_seed is not None:
            recipe["permutation_seed"] = int(self.permutation_seed)
        if self._rotation is not None:
            recipe["rotation"] = self._rotation.recipe()
        return recipe

    def save_pretrained(self, folder: str | Path, *, prefixes: pd.DataFrame | None = None) -> None:
        """Save the rotated model as an ordinary sentence-transformers model.

        Anyone can then load it by ``SentenceTransformer(folder, truncate_dim=32)``, without this
        package. After the model's own modules come a layer norm where its card asks for one before
        slicing, the rotation as a Dense layer without bias, and a Normalize. config.json names
        `dims` as its matryoshka_dimensions, and this backend's prompt is its prompt "clustering".

        Parameters
        ----------
        folder : str or Path
            New or empty folder. The full width is saved, whatever `truncate_dim`.
        prefixes : DataFrame or None, default=None
            Table for the model card: compare_prefixes of ``backend.truncated(None).embed(texts)``,
            with texts that the rotation was not fitted to.

        Raises
        ------
        ValueError
            If the backend is not rotated, or permuted.
        TypeError
            If its model is none of sentence-transformers.
        FileExistsError
            If the folder has files in it.

        Notes
        -----
        As with all models that sentence-transformers truncates, rows then have less than unit
        length; cosine similarity does not mind, and ``encode(..., normalize_embeddings=True)``
        gives them unit length, as ``MatryoshkaBackend(folder)`` does.
        """
        if self._rotation is None or self.permutation_seed is not None:
            raise ValueError(
                f"{self!r} is {'not rotated' if self._rotation is None else 'a permuted control'}. "
                "Save backend.rotated(documents), or the model itself by "
                "backend.embedding_model.save_pretrained(folder)."
            )
        if isinstance(self._source, WrappedSource):
            raise TypeError(
                f"{self.name} is no model of sentence-transformers, and cannot be saved as one."
            )
        self._check_rotation()
        name, is_on_hub = self._source.label, False
        if not self._source.is_bundled:
            name, is_on_hub = name_of(self.embedding_model, self._source.name)
        save_rotated_model(
            self.embedding_model,
            Path(folder),
            self._rotation,
            name=name,
            is_on_hub=is_on_hub,
            layer_norm=self.facts.before_slicing == "layer_norm",
            prompt=self.effective_prompt,
            prefixes=prefixes,
        )

    def __repr__(self) -> str:
        seed = self.permutation_seed
        permuted = "" if seed is None else f", permutation_seed={seed}"
        view = "" if self.lexical_view is None else f".with_view({self.lexical_view!r})"
        return f"MatryoshkaBackend({self.name!r}, truncate_dim={self.truncate_dim}{permuted}){view}"

    def _embed(
        self, texts: list[str], *, verbose: bool, words: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Embed texts; also return which rows are zero."""
        dim = self._truncated_dim
        if not texts:
            return np.zeros((0, self.embedding_dim), dtype=np.float32), np.zeros(0, dtype=bool)
        distinct, places = _without_repeats(texts)
        self._check_rotation()
        steps = self._steps
        # Truncate within the model's batches where nothing else must come first.
        width = self.full_dim if steps or self.long_texts == "mean" else dim
        rows = self._encode(distinct, width, verbose=verbose, words=words)
        cut, zero = cut_rows(steps.apply(rows, dim), dim)
        cut = cut.astype(np.float32, copy=False)
        view = self.lexical_view
        if view is not None:
            cut = join_rows(cut, view.transform(distinct), view.weight)
            zero = np.logical_not(cut.any(axis=1))
        return (cut, zero) if len(distinct) == len(texts) else (cut[places], zero[places])

    @property
    def _steps(self) -> Steps:
        """What stands between the model and truncation; loads the model."""
        return Steps(
            layer_norm=self.facts.before_slicing == "layer_norm",
            rotation=self._rotation,
            permutation_seed=self.permutation_seed,
        )

    def _encode(
        self,
        texts: list[str],
        width: int,
        *,
        verbose: bool,
        raw: bool = False,
        words: bool = False,
    ) -> NDArray[np.floating]:
        about_to_use_threads()

        def encode(texts: list[str]) -> NDArray[np.floating]:
            return self._source.encode(
                texts,
                width,
                prompt=self.effective_prompt,
                batch_size=self.batch_size,
                encode_kwargs=self.encode_kwargs,
                verbose=verbose,
                raw=raw,
                words=words,
            )

        window = self._source.window(self.effective_prompt) if self.long_texts == "mean" else None
        positions = long_texts(texts, window) if window is not None else []
        if window is None or not positions:
            return encode(texts)
        return mean_of_pieces(texts, positions, window, encode)

    def _warn_of_texts(self, texts: list[str]) -> None:
        """Warn, in the caller's caller, of texts that the model cuts or was not made for."""
        if texts and self._source.is_bundled:
            warn_of_other_language(texts, self.embedding_model[0].tokenizer)
        if not texts or self.long_texts != "truncate":
            return
        window = self._source.window(self.effective_prompt)
        if window is not None:
            distinct = _without_repeats(texts)[0]
            warn_of_cut_texts(long_texts(distinct, window), len(distinct), window)

    def _copy(self) -> MatryoshkaBackend:
        """Return a backend of the same model, loaded or not, that can be changed."""
        backend = copy.copy(self)
        backend.encode_kwargs = dict(self.encode_kwargs)
        return backend

    def _plain(self) -> MatryoshkaBackend:
        """Return a backend of the model's own rows, nothing done to them; loads the model."""
        plain = self._copy()
        plain.truncate_dim = plain.permutation_seed = plain._rotation = None  # noqa: SLF001
        plain.lexical_view = None
        plain._width_is_checked = True  # noqa: SLF001  (its own class)
        plain.truncate_dim = plain.full_dim  # a SentenceTransformer may be set to truncate
        return plain

    def _check_rotation(self) -> None:
        """Check once that the rotation is of this model; loads it."""
        if self._rotation is not None and not self._rotation_is_checked:
            plain = self._plain()
            probe = plain._embed([PROBE], verbose=False)[0]  # noqa: SLF001  (its own class)
            self._rotation.check_model(probe[0], plain.name)
        self._rotation_is_checked = True

    def _check_width(self) -> None:
        """Check `truncate_dim`; the upper bound only once the model's width is known."""
        if self.truncate_dim is None:
            return
        width = self._source.known_width
        if width is None:
            check_at_least(self.truncate_dim, 1, name="truncate_dim", remedy=NO_WIDTH)
            return
        dim = check_dim(self.truncate_dim, width, of=self.name)
        self._width_is_checked = True
        if self.permutation_seed is None:  # else a control: no width is trained
            warn_of_untrained_width(dim, width, self.facts, self._rotation, self.name)

    def _check_width_once(self) -> None:
        if not self._width_is_checked:
            self._check_width()


def _without_repeats(texts: list[str]) -> tuple[list[str], list[int]]:
    """List the different texts, and the place of each text among them."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return list(places), [places[text] for text in texts]

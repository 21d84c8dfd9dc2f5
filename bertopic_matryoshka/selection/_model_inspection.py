"""Models and documents -> what each model is like side by side, and how to narrow it."""

from __future__ import annotations

import copy
import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bertopic_matryoshka._constraints import check_arguments, check_each, number, seed, whole
from bertopic_matryoshka._validation import list_of_strings
from bertopic_matryoshka.embedding import MatryoshkaBackend, PrincipalRotation, unit_rows
from bertopic_matryoshka.neighbors import compare_distinct, distinct_rows
from bertopic_matryoshka.selection._model_advice import advice_by_name, measured_advice
from bertopic_matryoshka.selection._moments import Moments
from bertopic_matryoshka.selection._selector import near_zero_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from bertopic_matryoshka.embedding import ModelFacts

    Model = str | Path | SentenceTransformer | MatryoshkaBackend | None

SMALLEST_WIDTH = 32
"""Smallest width that is compared by default."""

FEWEST_ROWS = 6
"""Fewest different rows: three are the fewest that have neighbours, in each half."""

MEASURES = ["neighbors_kept", "neighbors_kept_se", "expected_topics"]


@dataclass(frozen=True)
class ModelInspection:
    """Result of :func:`inspect_models`.

    Attributes
    ----------
    models : DataFrame
        One row per model, in the given order. Columns: "model", its name; "advice", one sentence;
        "listed_dims", tuple, the widths that it is known to be meant for, see
        MatryoshkaBackend.dims, empty if none; "known_near_zero", tuple, the dimensions that are
        known hardly to vary. With documents also "full_dim", int; "n_documents", the different
        non-zero rows; "near_zero", tuple, the dimensions that hardly vary over these documents;
        "length_spread", standard deviation of the rows' lengths before normalisation over their
        mean, >= 0; "std_spread_raw" and "std_spread_unit", standard deviation of the dimensions'
        standard deviations over their mean, before and after normalisation: 0 if all dimensions
        vary alike.
    widths : DataFrame
        One row per model and width, descending; empty without documents. Columns: "model"; "dim";
        "variance_share_raw" and "variance_share_unit", share of the variance in the first `dim`
        dimensions, before and after normalisation, in [0, 1]; "neighbors_kept",
        "neighbors_kept_se" and "expected_topics", see compare_prefixes; "rotated_neighbors_kept",
        "rotated_neighbors_kept_se" and "rotated_expected_topics", the same after a rotation, NaN
        where the documents are too few for that many axes, or the backend is rotated already.
    """

    models: pd.DataFrame
    widths: pd.DataFrame

    def summary(self) -> str:
        """Describe each model in a line, and what to do with it.

        Such as "all-MiniLM-L6-v2: of 384 dimensions, 127, 223, 319 hardly vary over 2,000
        documents; no widths are listed for it; the first 32 keep 25 % of the neighbours, after a
        rotation 47 %: rotate it before truncation."
        """
        named = self.models[["model", "advice"]].itertuples(index=False)
        return "\n".join(f"{model}: {advice}" for model, advice in named)


def inspect_models(
    models: Model | Sequence[Model] | Mapping[str, Model],
    documents: Iterable[str] | None = None,
    *,
    dims: Sequence[int] | None = None,
    near_zero: float = 0.1,
    sample_size: int | None = 4000,
    random_state: int | None = 0,
) -> ModelInspection:
    """Show what embedding models are like, side by side, and how to narrow each.

    Which dimensions hardly vary, how the variance is spread before and after normalisation, which
    neighbours a prefix keeps, and which it keeps after a rotation. It needs no labels and no topic
    model. Without documents, it says what is known of the models by name, before any is loaded.

    Parameters
    ----------
    models : str, Path, SentenceTransformer, MatryoshkaBackend or None, sequence or dict of them
        Names or folders; None is the bundled model. Other models that MatryoshkaBackend takes, such
        as functions, too. A dict gives them names of your own. Of a backend, the prompt, device and
        rotation count; its `truncate_dim`, permutation and lexical view are ignored. Models that
        are not in memory yet are loaded one after another, and released.
    documents : iterable of str or None, default=None
        Texts like those to be embedded. Equal ones are embedded once. None embeds nothing, and
        loads nothing but folders.
    dims : sequence of int or None, default=None
        Widths to compare, >= 1; those wider than a model are left out for it, and its full width is
        added. None takes the powers of two from 32 up.
    near_zero : float, default=0.1
        A dimension hardly varies when the standard deviation of the unit rows in it is at most this
        share, in [0, 1), of the median one, as in DimensionSelector.
    sample_size : int or None, default=4000
        Number of different documents drawn, at least 6. None takes all.
    random_state : int or None, default=0
        Seed of the sample and of its halves: a rotation is fitted to one, and the prefixes, rotated
        and not, are judged by the neighbours within the other.

    Returns
    -------
    inspection : ModelInspection

    Raises
    ------
    TypeError
        If a model or a document is of another type, or a number is not an int.
    ValueError
        If there is no model, two have the same name, a parameter is out of range, or the documents
        give fewer than 6 different rows.

    See Also
    --------
    inspect_dimensions : Every dimension of embeddings that are there.
    MatryoshkaBackend.rotated : The rotation that is tried here.

    Notes
    -----
    The rotation is PrincipalRotation. The advice is about the narrowest listed width that is
    compared, or the narrowest of all if none is listed. A rotation is advised if it keeps at least
    .05 more of the neighbours there, and more than twice the standard error, of which a bound is
    used. Where fewer than .3 are kept even so, more dimensions are advised.

    Examples
    --------
    >>> from bertopic_matryoshka import inspect_models
    >>> print(inspect_models("all-MiniLM-L12-v2").summary())  # loads and embeds nothing
    all-MiniLM-L12-v2: known hardly to vary in 223, 319
    (https://github.com/huggingface/sentence-transformers/issues/2662); no widths are listed for it:
    rotate it before truncation.
    """
    check_arguments(
        locals(),
        near_zero=number("[0, 1)"),
        sample_size=whole(FEWEST_ROWS, none=True, remedy="None takes all."),
        random_state=seed(),
    )
    if dims is not None:
        check_each(dims, whole(1, remedy="Leave it out for the powers of two."), "dims")
    backends = _backends(models)
    if documents is None:
        known = {name: _in_turn(backend, None)[0] for name, backend in backends.items()}
        rows = [_known(name, facts, advice_by_name(facts)) for name, facts in known.items()]
        return ModelInspection(pd.DataFrame(rows), pd.DataFrame())
    texts = list(dict.fromkeys(list_of_strings(documents)))
    rng = np.random.default_rng(random_state)
    if sample_size is not None and sample_size < len(texts):
        drawn = np.sort(rng.choice(len(texts), sample_size, replace=False))
        texts = [texts[i] for i in drawn]
    if len(texts) < FEWEST_ROWS:
        raise ValueError(
            f"documents has {len(texts)} different texts; at least {FEWEST_ROWS} are needed, and "
            "some hundreds to tell much."
        )
    order = rng.permutation(len(texts))
    rows, tables = [], []
    for name, backend in backends.items():
        facts, raw = _in_turn(backend, [texts[i] for i in order])
        raw = _different(raw, name)
        is_rotated = backend.rotation is not None
        table, profile = _widths(raw, dims, is_rotated=is_rotated), _profile(raw, near_zero)
        advice = measured_advice(
            facts, table, profile["near_zero"], len(raw), is_rotated=is_rotated
        )
        rows.append(_known(name, facts, advice) | profile)
        table.insert(0, "model", name)
        tables.append(table)
    return ModelInspection(pd.DataFrame(rows), pd.concat(tables, ignore_index=True))


def _backends(models: Any) -> dict[str, MatryoshkaBackend]:
    """Name the models; none is loaded."""
    if not isinstance(models, Mapping):
        several = models if isinstance(models, (list, tuple)) else [models]
        backends = [_plain_backend(model) for model in several]
        models = {backend.name: backend for backend in backends}
        if len(models) < len(backends):
            raise ValueError("Two models have the same name. Pass a dict with names of your own.")
    if not models:
        raise ValueError("models is empty. Name at least one; None is the bundled model.")
    return {str(name): _plain_backend(model) for name, model in models.items()}


def _plain_backend(model: Any) -> MatryoshkaBackend:
    backend = model if isinstance(model, MatryoshkaBackend) else MatryoshkaBackend(model)
    return backend.with_view(None).permuted(None).truncated(None)


def _in_turn(
    backend: MatryoshkaBackend, texts: list[str] | None
) -> tuple[ModelFacts, NDArray[np.floating]]:
    """Embed texts; a model that was not in memory before is not afterwards."""
    own = backend if backend.is_loaded else copy.deepcopy(backend)
    facts = own.known_facts if texts is None else own.facts
    raw = np.zeros((0, 0), dtype=np.float32) if texts is None else own.embed_raw(texts)
    del own
    gc.collect()  # a model and its card refer to each other
    return facts, raw


def _different(raw: NDArray[np.floating], name: str) -> NDArray[np.floating]:
    """Leave out zero rows, and those that equal others after normalisation."""
    raw = raw[raw.any(axis=1)]
    raw = raw[distinct_rows(unit_rows(raw))]
    if len(raw) < FEWEST_ROWS:
        raise ValueError(
            f"{name} gives the documents {len(raw)} different rows other than zero; at least "
            f"{FEWEST_ROWS} are needed. Are they in a language that it does not know?"
        )
    return raw


def _known(name: str, facts: ModelFacts, advice: str) -> dict[str, Any]:
    return {
        "model": name,
        "advice": advice,
        "listed_dims": facts.dims or (),
        "known_near_zero": facts.near_zero,
    }


def _profile(raw: NDArray[np.floating], near_zero: float) -> dict[str, Any]:
    """Describe the rows before and after normalisation; see ModelInspection."""
    unit = unit_rows(raw)
    lengths = np.linalg.norm(raw.astype(np.float64), axis=1)
    before, after = (np.sqrt(Moments.of(rows).variance) for rows in (raw, unit))
    mask = near_zero_mask(after**2, near_zero)
    return {
        "full_dim": raw.shape[1],
        "n_documents": len(raw),
        "near_zero": tuple(int(dim) for dim in np.flatnonzero(mask)),
        "length_spread": lengths.std() / lengths.mean(),
        "std_spread_raw": before.std() / before.mean(),
        "std_spread_unit": after.std() / after.mean(),
    }


def _widths(
    raw: NDArray[np.floating], dims: Sequence[int] | None, *, is_rotated: bool
) -> pd.DataFrame:
    """Compare the widths; the rows are in random order."""
    full_dim, half = raw.shape[1], len(raw) // 2
    unit = unit_rows(raw)
    wanted = [2**n for n in range(full_dim.bit_length())] if dims is None else list(dims)
    least = SMALLEST_WIDTH if dims is None else 1
    widths = sorted({full_dim, *(int(dim) for dim in wanted if least <= dim <= full_dim)})[::-1]
    shares = {}
    for name, rows in (("raw", raw), ("unit", unit)):
        total = Moments.of(rows).variance.cumsum()
        shares[f"variance_share_{name}"] = total[np.array(widths) - 1] / total[-1]
    table: pd.DataFrame = pd.DataFrame({"dim": widths, **shares})
    fitted_to, judged = unit[:half], unit[half:]
    all_differ = np.ones(len(judged), dtype=bool)
    table[MEASURES] = compare_distinct(judged, all_differ, widths, rotated=is_rotated)[MEASURES]
    columns = [f"rotated_{name}" for name in MEASURES]
    table[columns] = np.nan
    if not is_rotated:
        rotation = PrincipalRotation(sample_size=None).fit(fitted_to)
        after = compare_distinct(rotation.transform(judged), all_differ, widths, rotated=True)
        # Rows of lower rank than their number have nothing along further axes.
        enough = full_dim if rotation.rank_ < half else rotation.rank_
        known = (table["dim"] <= enough) | (table["dim"] == full_dim)
        table.loc[known, columns] = after.loc[known, MEASURES].to_numpy()
    return table

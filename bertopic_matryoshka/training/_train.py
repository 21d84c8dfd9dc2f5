"""Texts -> a model trained at every width and after fewer layers, saved and measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bertopic_matryoshka._validation import check_at_least, find_device
from bertopic_matryoshka.embedding import write_model
from bertopic_matryoshka.training._data import DOCUMENTS, PAIRS, TRIPLETS, read_training_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    import torch
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments

    from bertopic_matryoshka.embedding import MatryoshkaBackend

EXTRA = ("accelerate", "datasets")
"""What sentence-transformers' trainer needs."""


@dataclass(frozen=True, eq=False)
class MatryoshkaTraining:
    """Result of train_matryoshka.

    Attributes
    ----------
    folder : Path
        Folder of the trained model, for MatryoshkaBackend and SentenceTransformer.
    scores : DataFrame
        Columns dim, n_layers (where layers are trained), measure, before and after; one row for
        each number of layers and width, descending. Measured on the items held out, see
        train_matryoshka.
    n_items : int
        Number of items trained on.
    n_steps : int
        Number of batches.
    seconds : float
        Wall clock of the training in this process, without evaluation.
    """

    folder: Path
    scores: pd.DataFrame
    n_items: int
    n_steps: int
    seconds: float


def train_matryoshka(
    model: str | Path | SentenceTransformer | MatryoshkaBackend | None,
    data: Any,
    *,
    out: str | Path,
    dims: Sequence[int] | None = None,
    layers: Sequence[int] | Literal["all"] | None = None,
    loss: str | Callable[[SentenceTransformer], torch.nn.Module] = "auto",
    arguments: Mapping[str, Any] | SentenceTransformerTrainingArguments | None = None,
    device: str | None = None,
    random_state: int = 0,
) -> MatryoshkaTraining:
    """Train a model so that its first dimensions are a good embedding by themselves.

    A copy of the model is trained by sentence-transformers' trainer with MatryoshkaLoss [1]_, which
    adds up a base loss at every width, and saved. Needs the extra ``train``.

    Parameters
    ----------
    model : str, Path, SentenceTransformer, MatryoshkaBackend or None
        Model to begin with; it is not changed. None is the bundled model. Of a rotated backend the
        rotation is trained too, as the model's last layer.
    data : sequence of str, sequence of tuples, DataFrame or datasets.Dataset
        At least 10 items of one kind; a tenth of them, at most 1,000, is held out:

        - documents: the cosine similarities of the model as it was are distilled into every width
          (SimilarityDistillationLoss); measured by ``neighbors_kept``, the share of a document's 15
          nearest neighbours at the full width before training that are among its 15 nearest
        - pairs (text, text) of one meaning: MultipleNegativesRankingLoss; measured by
          ``reciprocal_rank``, the mean of 1 / the rank of a text's partner among all partners
        - triplets (anchor, positive, negative): the same loss; measured by ``accuracy``, the share
          whose positive is nearer than the negative
        - scored pairs (text, text, score): CoSENTLoss; measured by ``spearman``, the rank
          correlation of cosines and scores

    out : str or Path
        Folder for the model, new or empty. Of a run that was killed it holds the checkpoints: the
        same call goes on from the last.
    dims : sequence of int, default=None
        Widths to train; the full width is added. None takes the powers of two from 32. The full
        width alone trains without MatryoshkaLoss.
    layers : sequence of int, "all" or None, default=None
        Numbers of first layers that are to be good embeddings as well, at every width: see
        first_layers, which cuts the trained model to them. All layers are added. A batch is
        computed after all layers and after one of the other numbers, drawn at random, by
        Matryoshka2dLoss [2]_; at the full width alone by AdaptiveLayerLoss. None trains all layers
        together.
    loss : "auto" or callable, default="auto"
        Base loss: that of the kind of data above, or ``loss(model)``, which makes one. For
        documents it is given the document's number as label.
    arguments : dict or SentenceTransformerTrainingArguments, default=None
        Arguments of the trainer. A dict is taken over the defaults: one epoch, batches of 64, a
        checkpoint each tenth of the steps, reports to nobody, a learning rate of 2e-5 (2e-2 for a
        static model).
    device : str, default=None
        "cpu" or "cuda"; None takes a GPU where there is one.
    random_state : int, default=0
        Seed of what is held out, of the order of batches and of dropout.

    Returns
    -------
    training : MatryoshkaTraining
        Folder and measures. The folder's config.json has the widths (``matryoshka_dimensions``) and
        the numbers of layers (``matryoshka_layers``), and its model card tells how the model was
        made.

    Raises
    ------
    ImportError
        If accelerate or datasets is not installed.
    FileExistsError
        If `out` holds other files, or the checkpoints of another run.
    TypeError, ValueError
        If a parameter, or an item of `data`, is not as described. No model is loaded before `data`
        is checked. `layers` for a model whose layers cannot be cut is a ValueError.
    FloatingPointError
        If the weights are NaN or infinite after training.

    References
    ----------
    .. [1] Kusupati et al. (2022). Matryoshka Representation Learning. NeurIPS.
    .. [2] Li et al. (2024). 2D Matryoshka Sentence Embeddings. arXiv:2402.14776.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from bertopic_matryoshka import MatryoshkaBackend, train_matryoshka
    >>> docs = [f"{thing} number {n}" for thing in ("dog", "car", "tree") for n in range(20)]
    >>> quiet = {"disable_tqdm": True, "logging_strategy": "no"}
    >>> training = train_matryoshka(None, docs, out=mkdtemp(), dims=[32], arguments=quiet)
    >>> MatryoshkaBackend(training.folder).dims
    (256, 32)
    """
    _check_installed()
    if loss != "auto" and not callable(loss):
        raise ValueError(f'loss={loss!r} must be "auto" or a callable: loss(model) makes a loss.')
    read = read_training_data(data)
    check_at_least(random_state, 0, name="random_state")
    device = find_device(device)

    # They import transformers' trainer, which takes seconds.
    from sentence_transformers import SentenceTransformerTrainer
    from transformers.trainer_callback import PrinterCallback

    from bertopic_matryoshka.training._arguments import digest_of, training_arguments
    from bertopic_matryoshka.training._card import card_of
    from bertopic_matryoshka.training._checkpoints import Checkpoints, MarkWhole
    from bertopic_matryoshka.training._evaluation import WidthEvaluator
    from bertopic_matryoshka.training._losses import at_every_size, base_loss
    from bertopic_matryoshka.training._subject import Subject

    subject = Subject.of(model, device)
    widths, depths = subject.checked_dims(dims), subject.checked_layers(layers)
    out = Path(out)
    trainer_arguments = training_arguments(
        arguments,
        folder=out / "checkpoints",
        device=device,
        random_state=random_state,
        prompt=subject.prompt,
        is_transformer=subject.is_transformer,
        ranks_batch=read.kind in {PAIRS, TRIPLETS},
    )
    checkpoints = Checkpoints(
        out,
        {
            "data": read.digest(),
            "model": subject.digest(),
            "dims": str(widths),
            "layers": str(depths),
            "loss": loss if isinstance(loss, str) else getattr(loss, "__qualname__", repr(loss)),
            "arguments": digest_of(trainer_arguments),
        },
    )
    checkpoint = checkpoints.open()

    trained_on, held_out = read.split(random_state)
    batch_size = trainer_arguments.per_device_eval_batch_size
    evaluator = WidthEvaluator(
        held_out, widths, depths, prompt=subject.prompt, batch_size=batch_size
    )
    scores = evaluator.table(subject.model).rename(columns={evaluator.measure: "before"})
    scores.insert(scores.shape[1] - 1, "measure", evaluator.measure)
    rows = subject.encode(trained_on.columns[0]) if read.kind == DOCUMENTS else None
    each_width = base_loss(loss, subject.model, trained_on, rows)
    trainer = SentenceTransformerTrainer(
        subject.model,
        trainer_arguments,
        train_dataset=trained_on.dataset(),
        loss=at_every_size(each_width, subject.model, widths, depths),
        evaluator=evaluator,
        callbacks=[MarkWhole()],
    )
    trainer.remove_callback(PrinterCallback)  # where there is no progress bar, it prints
    start = time.perf_counter()
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    seconds = time.perf_counter() - start
    subject.check_finite()
    scores["after"] = evaluator.table(subject.model)[evaluator.measure]
    training = MatryoshkaTraining(
        folder=out,
        scores=scores,
        n_items=len(trained_on),
        n_steps=trainer.state.global_step,
        seconds=seconds,
    )
    card = card_of(
        scores,
        n_items=training.n_items,
        n_steps=training.n_steps,
        name=subject.name,
        is_on_hub=subject.is_on_hub,
        prompt=subject.prompt,
        kind=read.kind,
        loss=type(each_width).__name__,
    )
    sizes = {"matryoshka_layers": list(depths)} if depths else {}
    write_model(subject.model, out, dims=widths, prompt=subject.prompt, card=card, **sizes)
    checkpoints.close()
    return training


def _check_installed() -> None:
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"train_matryoshka needs {' and '.join(missing)}: pip install {' '.join(missing)}, or "
            'the extra "train".'
        )

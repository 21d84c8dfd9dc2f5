"""train_matryoshka: a model in, a model out whose first dimensions serve."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import killed_training
import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers import SentenceTransformer
from tiny_models import make_architecture, make_model

from bertopic_matryoshka import (
    MatryoshkaBackend,
    SimilarityDistillationLoss,
    first_layers,
    train_matryoshka,
)

PAIRS = killed_training.PAIRS
DOCUMENTS = [first for first, _ in PAIRS]
TRIPLETS = [(*pair, "z z z") for pair in PAIRS]
SCORED = [(*pair, i / len(PAIRS)) for i, pair in enumerate(PAIRS)]
QUIET = {"disable_tqdm": True, "per_device_train_batch_size": 9}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A BERT 24 wide."""
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A BERT of four layers."""
    config = {"num_hidden_layers": 4}
    return make_model(tmp_path_factory.mktemp("models") / "deep", config=config)


def train(model, data, out, **settings):
    settings = {"dims": [8], "arguments": QUIET, "device": "cpu", **settings}
    return train_matryoshka(model, data, out=out, **settings)


@pytest.mark.parametrize(
    ("data", "measure", "loss"),
    [
        (DOCUMENTS, "neighbors_kept", "SimilarityDistillationLoss"),
        (PAIRS, "reciprocal_rank", "MultipleNegativesRankingLoss"),
        (pd.DataFrame(TRIPLETS), "accuracy", "MultipleNegativesRankingLoss"),
        (SCORED, "spearman", "CoSENTLoss"),
    ],
)
def test_each_kind_of_data_trains_a_model_that_knows_its_widths(
    tiny, tmp_path, data, measure, loss
):
    model = SentenceTransformer(tiny, device="cpu")
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    training = train(model, data, tmp_path / "out")
    assert training.scores["dim"].tolist() == [24, 8]
    assert set(training.scores["measure"]) == {measure}
    low = -1 if measure == "spearman" else 0
    assert training.scores[["before", "after"]].stack().between(low, 1).all()
    assert (training.n_items, training.n_steps) == (23, 3)
    config = json.loads((training.folder / "config.json").read_text("utf-8"))
    assert config["matryoshka_dimensions"] == [24, 8]
    card = (training.folder / "README.md").read_text("utf-8")
    assert f"{loss} at each of these widths (MatryoshkaLoss)" in card
    assert not (training.folder / "checkpoints").exists()
    backend = MatryoshkaBackend(training.folder, truncate_dim=8, device="cpu")
    assert backend.dims == (24, 8)
    untrained = MatryoshkaBackend(model, truncate_dim=8, dims=[24, 8])
    assert np.abs(backend.embed(["a b"]) - untrained.embed(["a b"])).max() > 1e-6
    assert all(torch.equal(weights, before[name]) for name, weights in model.state_dict().items())


def test_documents_give_prefixes_that_keep_more_neighbours(docs, tmp_path):
    settings = {"dims": [4], "arguments": {"disable_tqdm": True, "num_train_epochs": 3}}
    scores = train(None, docs, tmp_path / "out", **settings).scores.set_index("dim")
    assert scores.loc[4, "after"] > scores.loc[4, "before"] + 0.05
    assert scores.loc[256, "before"] == 1


def test_the_full_width_alone_trains_without_matryoshka_loss(tiny, tmp_path):
    training = train(tiny, PAIRS, tmp_path / "out", dims=[24])
    assert "MatryoshkaLoss" not in (training.folder / "README.md").read_text("utf-8")
    assert MatryoshkaBackend(training.folder, device="cpu").dims == (24,)


@pytest.mark.parametrize(
    ("data", "dims", "loss"), [(DOCUMENTS, [8], "Matryoshka2dLoss"), (SCORED, [24], "Adaptive")]
)
def test_first_layers_are_trained_and_measured(deep, tmp_path, data, dims, loss):
    settings = {"arguments": QUIET | {"learning_rate": 3e-3, "num_train_epochs": 4}}
    training = train(deep, data, tmp_path / "out", dims=dims, layers=[2], **settings)
    depths, widths = [4, 2], sorted({24, *dims}, reverse=True)
    sizes = [(dim, n_layers) for n_layers in depths for dim in widths]
    assert list(training.scores) == ["dim", "n_layers", "measure", "before", "after"]
    assert list(training.scores[["dim", "n_layers"]].itertuples(index=False, name=None)) == sizes
    config = json.loads((training.folder / "config.json").read_text("utf-8"))
    assert config["matryoshka_layers"] == depths
    card = (training.folder / "README.md").read_text("utf-8")
    assert loss in card
    assert "first_layers(model, 2)" in card
    assert f"| {dims[-1]} | 2 | {training.scores['before'].iloc[-1]:.3f} |" in card
    assert f"and {', '.join(map(str, depths))} layers:" in card


class Recorder(torch.nn.Module):
    """A loss that keeps the rows that it is computed from."""

    rows: ClassVar[list[torch.Tensor]] = []

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, sentence_features, labels):
        (features,) = sentence_features
        rows = self.model(features)["sentence_embedding"]
        assert len(rows) == len(labels)
        Recorder.rows.append(rows.detach())
        return rows.sum() * 0.0


def distances(rows, others):
    return (rows[:, None] - others[None]).norm(dim=2)


@pytest.mark.parametrize("kind", ["Bert", "ModernBert"])  # the latter has a norm after its layers
def test_the_loss_sees_all_layers_and_those_asked_for(tmp_path, kind):
    model = make_architecture(kind, tmp_path / "model")
    Recorder.rows.clear()
    settings = {"dims": [24], "layers": [2], "arguments": QUIET | {"learning_rate": 0.0}}
    train(model, DOCUMENTS, tmp_path / "out", loss=Recorder, **settings)
    rows = {n: first_layers(model, n).encode(DOCUMENTS, convert_to_tensor=True) for n in (3, 2, 1)}
    assert len(Recorder.rows) == 2 * 3
    for found, n_layers in zip(Recorder.rows, [3, 2] * 3, strict=True):
        assert distances(found, rows[n_layers]).min(dim=1).values.max() < 1e-4
    assert distances(rows[1], rows[2]).min() > 1e-3


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([5], ValueError, "layers=5 must be between 1 and 4, the layers of"),
        ([0], ValueError, "layers=0 must be at least 1"),
        ([2.0], TypeError, "layers=2.0 must be an int"),
        ("half", ValueError, "layers='half' must be \"all\""),
    ],
)
def test_layers_out_of_range_are_named(deep, tmp_path, layers, error, message):
    with pytest.raises(error, match=message):
        train(deep, PAIRS, tmp_path / "out", layers=layers)
    assert not (tmp_path / "out").exists()


def test_a_static_model_has_no_layers_to_train(tmp_path):
    with pytest.raises(ValueError, match=r"no list of layers.*StaticEmbedding"):
        train(None, PAIRS, tmp_path / "out", layers="all")


def test_the_rotation_of_a_backend_is_trained_and_saved(tiny, tmp_path):
    rotated = MatryoshkaBackend(tiny, device="cpu").rotated(DOCUMENTS)
    training = train(rotated, DOCUMENTS, tmp_path / "out", arguments=QUIET | {"learning_rate": 0.0})
    again = MatryoshkaBackend(training.folder, device="cpu")
    np.testing.assert_allclose(again.embed(DOCUMENTS), rotated.embed(DOCUMENTS), atol=1e-5)


def test_the_distillation_loss_is_the_cross_entropy_of_similarities():
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    fixed = np.array([[0, 1], [1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    loss = SimilarityDistillationLoss(lambda _: {"sentence_embedding": rows}, fixed, 0.5)

    def shares(cosines):
        exponentials = np.exp(np.array(cosines) / 0.5)
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    goal = shares([[0, 0.6], [0, 0.8], [0.6, 0.8]])  # rows 1, 2 and 3 of `fixed`
    found = shares([[0.6, 0], [0.6, 0.8], [0, 0.8]])
    expected = -(goal * np.log(found)).sum(axis=1).mean()
    assert loss([{}], torch.tensor([1, 2, 3])).item() == pytest.approx(expected, abs=1e-6)


def test_a_killed_run_goes_on_to_the_same_weights(tiny, tmp_path):
    out = tmp_path / "killed"
    command = [sys.executable, killed_training.__file__, tiny, str(out), "9"]  # in step 5
    killed = subprocess.run(command, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (out / "checkpoints" / "checkpoint-4").is_dir()
    with pytest.raises(FileExistsError, match=r"another run: its arguments, dims were different"):
        killed_training.train(tiny, out, dims=[4], random_state=1)
    whole = killed_training.train(tiny, tmp_path / "whole")
    calls = killed_training.Killer.at
    resumed = killed_training.train(tiny, out)
    assert calls - killed_training.Killer.at == 2 * (resumed.n_steps - 4)
    first, second = (
        SentenceTransformer(str(run.folder), device="cpu").state_dict() for run in (whole, resumed)
    )
    for name, weights in first.items():
        torch.testing.assert_close(weights, second[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "settings", "error", "message"),
    [
        ([], {}, ValueError, "has 0 distinct documents and needs at least 10"),
        (["a"], {}, ValueError, "has 1 distinct documents"),
        (["a"] * 20, {}, ValueError, "has 1 distinct documents"),
        (PAIRS[:2], {}, ValueError, "has 2 pairs and needs at least 10"),
        ("a b c", {}, TypeError, "is a single string"),
        (3, {}, TypeError, "data is of type int"),
        ([*DOCUMENTS, None], {}, TypeError, "None"),
        ([*DOCUMENTS, " "], {}, ValueError, r"data\[28\] has an empty text"),
        ([*SCORED, ("a", "b", float("nan"))], {}, ValueError, r"data\[28\] has the score nan"),
        ([(*pair, 1.0) for pair in PAIRS], {}, ValueError, "All scores in data are 1.0"),
        ([(*pair, "c", "d") for pair in PAIRS], {}, TypeError, "4 columns of texts"),
        (PAIRS, {"dims": [25]}, ValueError, "dims=25 must be between 1 and 24"),
        (PAIRS, {"dims": [8.0]}, TypeError, "must be an int"),
        (PAIRS, {"loss": "mse"}, ValueError, "loss='mse'"),
        (PAIRS, {"random_state": -1}, ValueError, "random_state=-1"),
        (PAIRS, {"arguments": 3}, TypeError, "arguments is of type int"),
        (PAIRS, {"arguments": {"seed": 3}}, ValueError, "would contradict"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(tiny, tmp_path, data, settings, error, message):
    with pytest.raises(error, match=message):
        train(tiny, data, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_a_gpu_that_is_absent_is_said(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="torch sees no GPU"):
        train(tiny, PAIRS, tmp_path / "out", device="cuda")


def test_a_folder_with_other_files_is_refused(tiny, tmp_path):
    Path(tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(FileExistsError, match="has files in it"):
        train(tiny, PAIRS, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_missing_package_is_named_with_its_extra(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r'needs datasets: pip install datasets.* extra "train"'):
        train(tiny, PAIRS, tmp_path / "out")

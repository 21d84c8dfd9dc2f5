"""The same on a Ray cluster of this machine, with worker processes, one of which is killed."""

import os
import signal
import subprocess
import sys

import killed_distributed
import numpy as np
import pandas as pd
import pytest

from bertopic_matryoshka import EmbedBatch, MatryoshkaBackend

ray = pytest.importorskip("ray", reason="needs the extra ray: make test-ray")


@pytest.fixture(scope="module")
def _cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rng = np.random.default_rng(0)
    words = ("dog cat horse wolf", "tax income audit refund", "spline knot cubic curve")
    texts = [" ".join(rng.choice(words[n % 3].split(), 5)) for n in range(160)]
    path = tmp_path_factory.mktemp("texts") / "texts.parquet"
    pd.DataFrame({"id": range(160), "text": texts}).to_parquet(path, row_group_size=40)
    return path


def deadly(marker):
    """Make a model that kills its process the first time that one of the workers calls it."""
    driver = os.getpid()
    embed = killed_distributed.letters

    def letters(texts):
        if os.getpid() != driver and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return embed(texts)

    return letters


@pytest.mark.usefixtures("_cluster")
def test_topics_are_those_without_ray_although_a_worker_is_killed(file, tmp_path):
    ray.cloudpickle.register_pickle_by_value(killed_distributed)  # workers do not have the tests
    marker = tmp_path / "killed"
    dataset = ray.data.read_parquet(str(file)).repartition(3)
    spread = killed_distributed.fit_distributed(
        dataset, tmp_path / "ray", model=deadly(marker), engine="ray", sample_size=80
    )
    assert marker.exists()
    alone = killed_distributed.fit_distributed(file, tmp_path / "local", sample_size=80)
    both = [pd.read_parquet(f.topics).sort_values("id", ignore_index=True) for f in (spread, alone)]
    pd.testing.assert_frame_equal(*both)
    assert len(both[0]) == 160
    assert spread.topic_model.topics_ == alone.topic_model.topics_
    assert spread.topic_model.topic_sizes_ == alone.topic_model.topic_sizes_
    assert (spread.topic_model.c_tf_idf_ != alone.topic_model.c_tf_idf_).nnz == 0
    assert spread.topic_model.get_topics() == alone.topic_model.get_topics()

    with pytest.raises(FileExistsError, match="another run: its documents was different"):
        killed_distributed.fit_distributed(
            dataset.limit(50), tmp_path / "ray", engine="ray", sample_size=80
        )
    assert not list((tmp_path / "ray").glob(".texts-*"))


@pytest.mark.usefixtures("_cluster")
def test_an_error_of_a_worker_is_raised_as_it_was(file, tmp_path):
    table = pd.read_parquet(file)
    table.assign(id=[None, *table["id"][1:]]).to_parquet(tmp_path / "texts.parquet")
    with pytest.raises(ValueError, match="must hold strings or integers"):
        killed_distributed.fit_distributed(
            tmp_path / "texts.parquet", tmp_path / "out", engine="ray"
        )
    table.astype({"id": "Int64"}).assign(id=lambda t: t["id"].where(t["id"] != 77)).to_parquet(
        tmp_path / "texts.parquet"
    )
    with pytest.raises(ValueError, match="1 rows without an ID, among rows 40 to 79"):
        killed_distributed.fit_distributed(
            tmp_path / "texts.parquet", tmp_path / "out", engine="ray"
        )
    with pytest.raises(ValueError, match=r"num_gpus=1 is asked for each worker.*has 0 GPUs"):
        killed_distributed.fit_distributed(file, tmp_path / "out", engine="ray", num_gpus=1)
    with pytest.raises(ValueError, match="has no rows"):
        killed_distributed.fit_distributed(ray.data.from_items([]), tmp_path / "o", engine="ray")
    assert not (tmp_path / "o").exists()


@pytest.mark.usefixtures("_cluster")
def test_batches_in_rays_own_words(file):
    rows = (
        ray.data.read_parquet(str(file))
        .limit(7)
        .map_batches(
            EmbedBatch,
            fn_constructor_args=(MatryoshkaBackend(truncate_dim=32),),
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        .take_all()
    )
    expected = MatryoshkaBackend(truncate_dim=32).embed([row["text"] for row in rows])
    np.testing.assert_array_equal([row["embedding"] for row in rows], expected)


def test_a_cluster_that_cannot_be_reached(file, tmp_path):
    """In a process of its own: this one is connected."""
    code = (
        "import sys; from bertopic_matryoshka import fit_distributed;"
        "fit_distributed(sys.argv[1], out=sys.argv[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file), str(tmp_path / "out")],
        env={**os.environ, "RAY_ADDRESS": "127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ConnectionError: RAY_ADDRESS='127.0.0.1:9' does not answer" in done.stderr
    assert not (tmp_path / "out").exists()

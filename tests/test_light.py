"""Without umap-learn, hdbscan, pynndescent and numba: the default path, in a fresh process."""

import json
import subprocess
import sys
from pathlib import Path

import bertopic._bertopic
import numpy as np
import pytest
from bertopic.cluster._utils import is_supported_hdbscan
from hdbscan import HDBSCAN
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka import build_topic_model, nearest_neighbors
from bertopic_matryoshka.embedding._bertopic_compat import mend_transform

RUN = Path(__file__).with_name("light_run.py")
EVERY = 2  # of the documents, so that the run is short


@pytest.fixture(scope="module")
def light(docs, tmp_path_factory):
    """What light_run.py found."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "docs.json").write_text(json.dumps(docs[::EVERY]), "utf-8")
    done = subprocess.run(
        [sys.executable, str(RUN), str(folder / "docs.json"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text("utf-8"))


def test_topics_are_those_found_with_all_installed(light, backend, docs, doc_labels, embeddings):
    built = build_topic_model(backend).fit(docs[::EVERY], embeddings[::EVERY])
    assert light["topics"] == built.topics_
    assert len(set(light["topics"])) >= 3
    assert adjusted_mutual_info_score(doc_labels[::EVERY], light["topics"]) > 0.3
    assert light["imported"] == []


def test_transform_gives_the_documents_their_topics(light):
    agree = np.mean(np.array(light["transformed"]) == light["topics"])
    assert agree > 0.9


def test_a_saved_and_loaded_model_gives_the_same_topics(light):
    assert light["loaded"] == light["transformed"]


def test_widths_are_compared(light):
    assert [dim for dim, _, _ in light["runs"]] == [64, 32]
    for _, n_topics, coherence in light["runs"]:
        assert n_topics >= 3
        assert coherence > 0


def test_pca_goes_with_leiden(light):
    assert len(set(light["pca"])) >= 3


def test_calculate_probabilities_is_no_error(light):
    assert len(light["probabilities"]) == len(light["topics"])


def test_approximate_neighbours_need_nothing(light, embeddings):
    rows = embeddings[::EVERY]
    exact, _ = nearest_neighbors(rows, 5, method="exact")
    found = [
        np.isin(near, best).mean() for near, best in zip(light["neighbours"], exact, strict=True)
    ]
    assert np.mean(found) > 0.9


@pytest.mark.parametrize(
    ("name", "package", "instead"),
    [
        ("umap", "umap-learn", '"variance" needs nothing'),
        ("pca", "hdbscan", 'clustering="leiden" needs nothing'),
        ("hdbscan", "hdbscan", 'clustering="leiden" needs nothing'),
    ],
)
def test_what_is_not_installed_is_named_with_the_remedy(light, name, package, instead):
    assert f"pip install {package}." in light["refusals"][name]
    assert instead in light["refusals"][name]


# ---- BERTopic's question whether a clusterer is an HDBSCAN


def test_bertopic_is_left_as_it_is_where_hdbscan_is_installed():
    mend_transform()
    assert bertopic._bertopic.is_supported_hdbscan is is_supported_hdbscan


def test_without_hdbscan_the_question_is_answered_until_it_is_installed(monkeypatch):
    monkeypatch.setattr(bertopic._bertopic, "is_supported_hdbscan", is_supported_hdbscan)
    with monkeypatch.context() as absent:
        absent.setitem(sys.modules, "hdbscan", None)
        with pytest.raises(TypeError):  # if BERTopic is mended by itself, without_hdbscan can go
            is_supported_hdbscan(KMeans())
        mend_transform()
        assert not bertopic._bertopic.is_supported_hdbscan(KMeans())
    assert bertopic._bertopic.is_supported_hdbscan(HDBSCAN())

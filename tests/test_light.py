"""Without umap-learn, hdbscan, pynndescent and numba: the default path, in a fresh process."""

import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import bertopic._bertopic
import numpy as np
import pytest
from hdbscan import HDBSCAN
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

try:
    import tomllib
except ImportError:  # before Python 3.11, where pytest brings it
    import tomli as tomllib

from bertopic_matryoshka import allow_missing_hdbscan, build_topic_model, nearest_neighbors

ROOT = Path(__file__).parents[1]
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


def brought_by(*names):
    """The distributions that pip installs with these, as the environment at hand has them."""
    found, left = set(), [canonicalize_name(name) for name in names]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        for text in distribution(name).requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(canonicalize_name(requirement.name))
    return found


def test_the_light_installation_brings_all_that_is_needed():
    lines = (ROOT / "docs" / "getting-started.md").read_text("utf-8").splitlines()
    at = lines.index("pip install --no-deps bertopic .")
    named = lines[at - 1].removeprefix("pip install ").split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    assert names - brought_by(*named) == {"bertopic"}


# ---- BERTopic's transform, which fails without hdbscan


def test_it_is_changed_by_no_import_and_the_remedy_is_named(light):
    # If BERTopic has been mended, allow_missing_hdbscan can go.
    assert "isinstance() arg 2 must be a type" in light["unmended"]
    named = [kind for kind, message in light["warned"] if "allow_missing_hdbscan()" in message]
    assert named == ["RuntimeWarning"] * 2  # building and loading


def test_bertopic_is_left_as_it_is_where_hdbscan_is_installed(backend, recwarn):
    before = bertopic._bertopic.is_supported_hdbscan
    allow_missing_hdbscan()
    build_topic_model(backend)
    assert bertopic._bertopic.is_supported_hdbscan is before
    assert not [w for w in recwarn if "allow_missing_hdbscan" in str(w.message)]


def test_an_hdbscan_that_is_installed_later_is_one(monkeypatch):
    before = bertopic._bertopic.is_supported_hdbscan
    monkeypatch.setattr(bertopic._bertopic, "is_supported_hdbscan", before)  # put back at the end
    with monkeypatch.context() as absent:
        absent.setitem(sys.modules, "hdbscan", None)
        allow_missing_hdbscan()
        assert not bertopic._bertopic.is_supported_hdbscan(KMeans())
    assert bertopic._bertopic.is_supported_hdbscan(HDBSCAN())

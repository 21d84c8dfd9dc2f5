"""A topic with most of the documents is said to be so, however the model was built."""

from __future__ import annotations

import pytest
from bertopic import BERTopic
from typer.testing import CliRunner

from bertopic_matryoshka import DimensionSelector, LeidenClustering, build_topic_model
from bertopic_matryoshka.cli._app import app

KINDS = {
    "the {} of a random variable has a probability density": 110,
    "a sparse matrix stores its {} by rows": 30,
    "the digital filter removes the {} from a signal": 30,
    "interest rates rose as the bank of {} said": 30,
}
WORDS = [
    "red",
    "green",
    "blue",
    "car",
    "house",
    "river",
    "mountain",
    "coffee",
    "bread",
    "music",
    "piano",
    "winter",
    "summer",
    "garden",
    "window",
    "doctor",
    "teacher",
    "school",
    "hospital",
    "engine",
    "airplane",
    "train",
    "bicycle",
    "market",
    "island",
    "forest",
    "desert",
    "village",
    "bridge",
    "tower",
]
LARGEST = r"The largest of \d clusters has (5\d)% of the rows.*n_clusters"


@pytest.fixture(scope="module")
def uneven():
    """Texts of four kinds, more than half of them of one."""
    return [
        f"{kind.format(WORDS[i % 30])} {WORDS[(7 * i + i // 30) % 30]} {i}"
        for kind, number in KINDS.items()
        for i in range(number)
    ]


def test_build_topic_model(backend, uneven):
    with pytest.warns(RuntimeWarning, match=LARGEST):
        build_topic_model(backend).fit(uneven)


def test_a_bertopic_built_by_hand(backend, uneven):
    topic_model = BERTopic(
        embedding_model=backend, umap_model=DimensionSelector(), hdbscan_model=LeidenClustering()
    )
    with pytest.warns(RuntimeWarning, match=LARGEST):
        topic_model.fit(uneven)


def test_the_command_line(uneven, tmp_path):
    file = tmp_path / "docs.txt"
    file.write_text("\n".join(uneven), "utf-8")
    done = CliRunner().invoke(app, ["fit", str(file), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "The largest of" in " ".join(done.output.split())

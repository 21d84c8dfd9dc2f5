"""What a comparison keeps in its folder, and what makes it another one."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import LeidenClustering, MatryoshkaBackend
from bertopic_matryoshka.comparison._cache import RunStore

TEXTS = ["one text", "another", ""]
ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
KEY = {"dim": 64, "seed": None}


def settings(**changes):
    values = {
        "labels": np.array(["a", "b", "a"]),
        "measure": "c_v",
        "vectorizer_model": CountVectorizer(stop_words="english", ngram_range=(1, 2)),
        "hdbscan_model": KMeans(3, random_state=0),
        "representation_model": None,
    }
    return {**values, **changes}


@pytest.fixture
def kept(tmp_path):
    store = RunStore(tmp_path, TEXTS, settings())
    store.put(KEY, {"coherence": 0.5}, {"topics": np.arange(3)})
    return store


def test_an_equal_run_finds_the_cells(kept, tmp_path):
    record, arrays = RunStore(str(tmp_path), list(TEXTS), settings()).get(KEY)
    assert record == {"coherence": 0.5}
    np.testing.assert_array_equal(arrays["topics"], np.arange(3))


@pytest.mark.parametrize(
    "change",
    [
        {"measure": "c_npmi"},
        {"labels": np.array(["a", "b", "b"])},
        {"labels": None},
        {"vectorizer_model": CountVectorizer(stop_words="english", ngram_range=(1, 3))},
        {"hdbscan_model": KMeans(4, random_state=0)},
        {"hdbscan_model": KMeans(3, random_state=1)},
        {"hdbscan_model": DBSCAN()},
        {"representation_model": LeidenClustering()},
        {"top_n_words": 5},
    ],
)
def test_another_setting_is_another_run(kept, tmp_path, change):
    assert RunStore(tmp_path, TEXTS, settings(**change)).get(KEY) is None


@pytest.mark.parametrize(
    "documents",
    [TEXTS[:2], TEXTS[::-1], ["one text", "another", " "], ["one text", "anothe", "r"]],
)
def test_other_documents_are_another_run(kept, tmp_path, documents):
    assert RunStore(tmp_path, documents, settings()).get(KEY) is None


def test_surrogates_are_documents(tmp_path):
    RunStore(tmp_path, ["\ud800"], {}).put(KEY, {}, {})
    assert RunStore(tmp_path, ["\udc00"], {}).get(KEY) is None
    assert RunStore(tmp_path, ["\ud800"], {}).get(KEY) is not None


def test_what_cannot_be_told_from_others_is_named(tmp_path):
    vectorizer = CountVectorizer(tokenizer=lambda text: text.split())
    with pytest.raises(ValueError, match=r"vectorizer_model=CountVectorizer.* cannot be pickled"):
        RunStore(tmp_path, TEXTS, settings(vectorizer_model=vectorizer))
    with pytest.raises(ValueError, match=r"labels=<generator .*Go on without a store"):
        RunStore(tmp_path, TEXTS, settings(labels=(i for i in range(3))))
    RunStore(None, TEXTS, settings(vectorizer_model=vectorizer))


def test_embeddings_tell_models_apart(tmp_path):
    store = RunStore(tmp_path, TEXTS, {})
    for name, rows in {
        "rows": ROWS,
        "same": np.asfortranarray(ROWS),
        "double": ROWS.astype(np.float64),
        "shape": ROWS.reshape(3, 2),
        "other": ROWS + 1,
    }.items():
        store.know(name, rows)
    prints = [store.fingerprint(name) for name in ("rows", "double", "shape", "other")]
    assert len(set(prints)) == 4
    assert store.fingerprint("same") == prints[0]


def test_encoding_takes_what_it_took_when_it_was_done(tmp_path):
    store = RunStore(tmp_path, TEXTS, settings())
    store.know("m", ROWS)
    assert store.seconds("m", 12.5) == 12.5
    # Whatever else is new in a later run, the embeddings are read from the folder.
    later = RunStore(tmp_path, TEXTS, settings(measure="u_mass"))
    later.know("renamed", ROWS)
    assert later.seconds("renamed", 0.01) == 12.5
    later.know("other", ROWS + 1)
    assert later.seconds("other", 3.5) == 3.5


def test_texts_are_embedded_once(tmp_path):
    backend = MatryoshkaBackend()
    rows = RunStore(tmp_path, TEXTS[:2], {}).embed(backend, TEXTS[:2])
    (shard,) = (tmp_path / "embeddings").rglob("*.shard")
    again = RunStore(tmp_path, TEXTS[:2], settings()).embed(backend, TEXTS[:2])
    np.testing.assert_array_equal(again, rows)
    assert [*(tmp_path / "embeddings").rglob("*.shard")] == [shard]


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = RunStore(None, TEXTS, settings())
    store.put(KEY, {}, {})
    assert store.get(KEY) is None
    store.know("m", ROWS)
    assert store.fingerprint("m") == ""
    assert store.seconds("m", 1.5) == 1.5
    assert store.seconds("m", 2.5) == 2.5
    assert store.embed(MatryoshkaBackend(), TEXTS[:2]).shape == (2, 256)
    assert [*tmp_path.iterdir()] == []

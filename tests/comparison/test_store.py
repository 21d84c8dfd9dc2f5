"""What a comparison keeps in its folder: found again, computed anew, killed, damaged, of before."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.representation import KeyBERTInspired, MaximalMarginalRelevance
from compared import assert_same, brief_comparison, plain_model
from counted_kmeans import FITS, CountedKMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    DamagedFileWarning,
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    TopicScorer,
    build_topic_model,
    compare_dimensions,
)
from bertopic_matryoshka.comparison import _provenance as provenance
from bertopic_matryoshka.comparison import _result as result
from bertopic_matryoshka.comparison import _store as store
from bertopic_matryoshka.comparison._store import RunStore, _hash_of_documents, fingerprint

BUNDLED = "the bundled model"
OF_BEFORE = Path(__file__).parents[1] / "data" / "store_of_0.1"
ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
KEY = {"dim": 64, "seed": None}


@pytest.fixture
def fits():
    FITS.clear()
    return FITS


def counted(n_clusters=4, **kwargs):
    return CountedKMeans(n_clusters, n_init=1, **kwargs)


@pytest.fixture
def compare(docs, full_embeddings):
    """Compare 120 documents at two widths with one seed, and four topics."""
    return brief_comparison(docs[:120], full_embeddings[:120], counted)


# ---- a later comparison


def test_a_second_one_computes_nothing(compare, backend, tmp_path, fits, encoded, doc_labels):
    arguments = {
        "topic_models": {"a": plain_model(counted(), backend)},
        "embeddings": None,
        "labels": doc_labels[:120],
        "scorer": TopicScorer(n_replicates=0, n_resamples=10, split_half=True),
        "seeds": 2,
    }
    first = compare(**arguments, store=tmp_path / "a")
    assert sorted(fits) == [60] * 4 + [120] * 4
    assert len(encoded) == 120
    fits.clear()
    encoded.clear()
    second = compare(**arguments, store=str(tmp_path / "a"))
    assert (fits, encoded) == ([], [])
    assert second.runs == first.runs  # with the seconds of the first run
    models = (c.embedding_models[BUNDLED] for c in (first, second))
    assert len({model.encode_seconds for model in models}) == 1
    assert_same(second, first)


def test_only_what_is_new_is_computed(compare, tmp_path, fits):
    def run(topic_models=None, **changes):
        fits.clear()
        comparison = compare(topic_models, store=tmp_path, **changes)
        return len(fits), comparison

    assert run()[0] == 2
    assert run(dims=[64, 32, 16])[0] == 1
    assert run(seeds=[0, 1])[0] == 2
    assert run(scorer=TopicScorer(n_replicates=0, n_resamples=10, split_half=True))[0] == 4
    selection = BERTopic(umap_model=DimensionSelector(), hdbscan_model=counted())
    n_fits, comparison = run({"plain": plain_model(counted()), "selection": selection})
    assert (n_fits, len(comparison.runs)) == (2, 4)
    selection = BERTopic(
        umap_model=DimensionSelector(criterion="laplacian"), hdbscan_model=counted()
    )
    assert run({"selection": selection})[0] == 2


def test_replicates_are_found_again_whatever_is_scored(compare, doc_labels, tmp_path, fits):
    def run(n_replicates, **changes):
        fits.clear()
        scorer = TopicScorer(n_resamples=10, n_replicates=n_replicates, **changes.pop("of", {}))
        comparison = compare(store=tmp_path, scorer=scorer, **changes)
        return sorted(fits), comparison

    found, first = run(2)
    assert found == [96] * 4 + [120] * 2
    found, again = run(2)
    assert found == []
    assert again.replicates == first.replicates
    for one, other in zip(again.replicates, first.replicates, strict=True):
        np.testing.assert_array_equal(one.document_topics, other.document_topics)
    assert run(3)[0] == [96] * 2
    assert run(3, dims=[64, 32, 16])[0] == [96] * 3 + [120]
    found, labelled = run(3, of={"measure": "npmi"}, labels=doc_labels[:120])
    assert found == [120] * 2  # labels and scorer are no part of a replicate
    assert all(of.ami is not None for of in labelled.replicates)


def test_a_run_is_found_whatever_its_topic_model_is_called(compare, tmp_path, fits):
    compare({"one": plain_model(counted())}, store=tmp_path)
    fits.clear()
    again = compare({"another": plain_model(counted())}, store=tmp_path)
    assert fits == []
    assert [run.topic_model for run in again.runs] == ["another"] * 2


def test_a_random_state_that_the_seed_replaces_is_no_difference(compare, tmp_path, fits):
    compare(store=tmp_path)
    fits.clear()
    compare(plain_model(counted(random_state=9)), store=tmp_path)
    assert fits == []
    compare(plain_model(counted(random_state=9)), store=tmp_path, seeds=[None])
    compare(plain_model(counted(random_state=8)), store=tmp_path, seeds=[None])
    assert fits == [120] * 4


def test_a_fitted_topic_model_is_no_other(compare, docs, full_embeddings, tmp_path, fits):
    topic_model = plain_model(counted())
    compare(topic_model, store=tmp_path)
    topic_model.fit(docs[120:300], full_embeddings[120:300])
    fits.clear()
    compare(topic_model, store=tmp_path)
    assert fits == []


def test_the_width_that_a_model_expects_is_no_difference(compare, backend, tmp_path, fits):
    for dim in (64, 128):
        built = build_topic_model(backend.truncated(dim), hdbscan_model=counted())
        compare(built, store=tmp_path)
    assert fits == [120, 120]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [0, 1] * 60},
        {"scorer": TopicScorer(n_replicates=0, n_resamples=10, measure="npmi")},
        {"scorer": TopicScorer(n_replicates=0, n_resamples=11)},
        {"scorer": TopicScorer(n_replicates=0, n_resamples=10, top_n=5)},
        {"topic_models": plain_model(counted(), nr_topics=3)},
        {"topic_models": plain_model(counted(), top_n_words=7)},
        {"topic_models": plain_model(counted(), vectorizer_model=CountVectorizer())},
        {"topic_models": plain_model(counted(5))},
        {
            "topic_models": plain_model(
                counted(), representation_model=MaximalMarginalRelevance(), embedding_model=BUNDLED
            )
        },
        {"topic_models": BERTopic(umap_model=DimensionSelector(), hdbscan_model=counted())},
        {"seeds": [1]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_are_computed_anew(compare, tmp_path, fits, change):
    compare(store=tmp_path, dims=[32])
    fits.clear()
    model = change.get("topic_models")
    if model is not None and model.embedding_model == BUNDLED:
        model.embedding_model = MatryoshkaBackend()
    compare(store=tmp_path, dims=[32], **change)
    assert fits == [120]


def test_what_embeds_words_is_known(compare, tmp_path, fits):
    """With embeddings given, words come from the backend alone."""
    for prompt in (None, "query: ", None):
        backend = MatryoshkaBackend(prompt=prompt)
        compare(
            plain_model(counted(), backend, representation_model=KeyBERTInspired()),
            store=tmp_path,
            dims=[32],
        )
    assert fits == [120, 120]


def test_a_criterion_of_another_body_is_another(compare, tmp_path, fits, monkeypatch):
    for body in ("X.var(axis=0)", "X.max(axis=0)", "X.var(axis=0)"):
        module = ModuleType("own_criteria")
        exec(f"def spread(X):\n    return {body}", vars(module))
        monkeypatch.setitem(sys.modules, "own_criteria", module)
        model = plain_model(counted())
        model.umap_model = DimensionSelector(criterion=module.spread)
        compare(model, store=tmp_path, dims=[32])
    assert fits == [120, 120]


@pytest.mark.parametrize("package", ["pynndescent", "numba", "cugraph-cu12"])
def test_another_version_of_what_finds_neighbours_is_another(
    compare, tmp_path, fits, monkeypatch, package
):
    compare(store=tmp_path, dims=[32])
    known = provenance.version
    monkeypatch.setattr(provenance, "version", lambda p: "0.0" if p == package else known(p))
    compare(store=tmp_path, dims=[32])
    assert fits == [120, 120]


def test_another_device_is_another(compare, tmp_path, fits, monkeypatch):
    compare(store=tmp_path, dims=[32])
    monkeypatch.setattr(store, "device_name", lambda _: "a GPU")
    compare(store=tmp_path, dims=[32])
    assert fits == [120, 120]


def test_seconds_from_elsewhere_are_not_averaged_with_these(compare, tmp_path, monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(result, "machine_name", lambda: "elsewhere")
        compare(store=tmp_path, dims=[64], seeds=[0])
        compare(store=tmp_path, dims=[32], seeds=[0, 1])
    comparison = compare(store=tmp_path, dims=[128, 64, 32], seeds=[0, 1])
    assert comparison.machine != "elsewhere"
    machines = [run.machine == comparison.machine for run in comparison.runs]
    assert machines == [True, True, False, True, False, False]
    wide, mixed, foreign = comparison.summary.to_dict("records")
    by_hand = np.mean([run.seconds for run in comparison.runs_of(dim=128)])
    assert wide["seconds"] == pytest.approx(by_hand)
    assert mixed["seconds"] == comparison.runs_of(dim=64)[1].seconds
    assert mixed["n_seeds"] == 2
    for name in ("seconds", "cluster_seconds", "evaluate_seconds"):
        assert np.isnan(foreign[name])
    assert np.isfinite(foreign["coherence"])


def test_permuted_dimensions_are_others(compare, backend, tmp_path, fits):
    arguments = {"embeddings": None, "store": tmp_path, "dims": [32]}
    compare(plain_model(counted(), backend), **arguments)
    compare(plain_model(counted(), backend.permuted(0)), **arguments)
    assert fits == [120, 120]
    compare(plain_model(counted(), backend.permuted(5)), **arguments)  # the seed draws them
    assert fits == [120, 120]


def test_other_embeddings_are_fitted_anew(compare, tmp_path, fits, full_embeddings):
    compare(store=tmp_path, dims=[32])
    moved = np.array(full_embeddings[:120])
    moved[0] = -moved[0]
    compare(store=tmp_path, dims=[32], embeddings=moved)
    assert fits == [120, 120]


def test_a_changed_document_is_embedded_alone(compare, backend, docs, tmp_path, fits, encoded):
    arguments = {"topic_models": plain_model(counted(), backend), "embeddings": None}
    compare(**arguments, store=tmp_path)
    fits.clear()
    encoded.clear()
    changed = [*docs[:60], "a sparse matrix in other words", *docs[61:120]]
    comparison = compare(documents=changed, **arguments, store=tmp_path)
    assert encoded == ["a sparse matrix in other words"]
    assert fits == [120, 120]
    assert_same(comparison, compare(documents=changed, **arguments))


@pytest.mark.parametrize("part", ["vectorizer_model", "umap_model"])
def test_what_cannot_be_told_from_others_is_refused_with_a_store_only(
    compare, tmp_path, encoded, part
):
    parts = {
        "vectorizer_model": CountVectorizer(
            tokenizer=lambda text: text.split(), token_pattern=None
        ),
        "umap_model": DimensionSelector(criterion=lambda X: X.var(axis=0)),
    }
    topic_model = BERTopic(
        **{"embedding_model": MatryoshkaBackend(), "hdbscan_model": counted(), part: parts[part]}
        | ({} if part == "umap_model" else {"umap_model": DimensionSelector()})
    )
    with pytest.raises(
        ValueError, match=rf"(?s)topic_models\['mine'\]\.{part}=.* cannot be pickled.* without a st"
    ):
        compare({"mine": topic_model}, store=tmp_path, embeddings=None)
    assert encoded == []
    assert len(compare({"mine": topic_model}).runs) == 2


# ---- killed and damaged

KILLED_AFTER_TWO_RUNS = """
import json, os, signal, sys
sys.path.insert(0, sys.argv[1])
from bertopic_matryoshka import MatryoshkaBackend, TopicScorer, compare_dimensions
from compared import plain_model
from counted_kmeans import CountedKMeans

def kill(done, total, step):
    if step.startswith("16 dims"):
        os.kill(os.getpid(), signal.SIGKILL)

compare_dimensions(
    json.loads(open(sys.argv[2]).read()),
    plain_model(CountedKMeans(4, n_init=1), MatryoshkaBackend()),
    dims=[64, 32, 16, 8], seeds=1, scorer=TopicScorer(n_replicates=0, n_resamples=10), store=sys.argv[3],
    progress=kill,
)
"""

# Every record says what its array must be, so that a mixture of two would show.
PUT_FOR_EVER = """
import sys
import numpy as np
from bertopic_matryoshka.comparison import _provenance as provenance
from bertopic_matryoshka.comparison import _result as result
from bertopic_matryoshka.comparison import _store as store
from bertopic_matryoshka.comparison._store import RunStore

store = RunStore(sys.argv[1])
for i in range(10**9):
    store.put({"run": i % 5}, {"i": i}, {"topics": np.full(20_000 + i % 7, i)})
    if not i:
        print("begun", flush=True)
"""

needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")


@needs_kill
@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_a_killed_comparison_goes_on_where_it_was(compare, backend, docs, tmp_path, fits, encoded):
    (tmp_path / "docs.json").write_text(json.dumps(docs[:120]), "utf-8")
    here, folder = str(Path(__file__).parents[1]), tmp_path / "store"
    command = [sys.executable, "-c", KILLED_AFTER_TWO_RUNS, here, tmp_path / "docs.json", folder]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    arguments = {
        "topic_models": plain_model(counted(), backend),
        "dims": [64, 32, 16, 8],
        "embeddings": None,
    }
    kept = compare(**{**arguments, "dims": [64, 32]}, store=folder)
    assert (fits, encoded) == ([], [])
    resumed = compare(**arguments, store=folder)
    assert fits == [120, 120]
    assert encoded == []
    assert resumed.runs[:2] == kept.runs  # with their seconds
    assert_same(resumed, compare(**arguments))


@needs_kill
def test_killed_at_any_moment_every_run_is_whole(tmp_path):
    found = 0
    for delay in np.random.default_rng(0).uniform(0, 0.05, size=8):
        child = subprocess.Popen(
            [sys.executable, "-c", PUT_FOR_EVER, tmp_path], stdout=subprocess.PIPE
        )
        assert child.stdout.readline() == b"begun\n"
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        store = RunStore(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # nothing damaged is ever seen
            runs = [store.get({"run": i}) for i in range(5)]
        for run in filter(None, runs):
            i = run.record["i"]
            np.testing.assert_array_equal(run.arrays["topics"], np.full(20_000 + i % 7, i))
            found += 1
    assert found > 8


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-7],
        lambda content: content[:-1] + bytes([content[-1] ^ 128]),
    ],
    ids=["empty", "half", "truncated", "flipped"],
)
def test_a_damaged_run_is_noticed_and_fitted_again(compare, tmp_path, fits, damage):
    first = compare(store=tmp_path)
    path = max((tmp_path / "runs").glob("*.run"), key=lambda path: path.stat().st_mtime_ns)
    path.write_bytes(damage(path.read_bytes()))
    fits.clear()
    with pytest.warns(DamagedFileWarning, match=f"{path.name} is damaged and will be computed"):
        second = compare(store=tmp_path)
    assert fits == [120]
    assert second.runs[0] == first.runs[0]
    assert_same(second, first)
    fits.clear()
    assert compare(store=tmp_path).runs == second.runs
    assert fits == []


def test_another_run_under_this_name_is_not_read(tmp_path):
    store = RunStore(tmp_path)
    store.put(KEY, {"coherence": float("nan")}, {"topics": np.arange(3)})
    (mine,) = (tmp_path / "runs").iterdir()
    store.put({**KEY, "dim": 32}, {}, {})
    (other,) = set((tmp_path / "runs").iterdir()) - {mine}
    assert store.get({**KEY, "seed": 1}) is None
    np.testing.assert_array_equal(store.get(KEY).arrays["topics"], np.arange(3))
    other.replace(mine)
    with pytest.warns(DamagedFileWarning, match=mine.name):
        assert store.get(KEY) is None


# ---- embeddings


def test_embeddings_are_told_apart():
    rows = [ROWS, ROWS.astype(np.float64), ROWS.reshape(3, 2), ROWS + 1]
    prints = [fingerprint(of) for of in rows]
    assert len(set(prints)) == 4
    assert fingerprint(np.asfortranarray(ROWS)) == prints[0]


def test_documents_are_told_apart_lone_surrogates_too():
    texts = ["one text", "another", ""]
    others = [texts[:2], texts[::-1], ["one text", "another", " "], ["one text", "anothe", "r"]]
    prints = {_hash_of_documents(of) for of in [texts, *others, ["\ud800"], ["\udc00"]]}
    assert len(prints) == 7
    assert _hash_of_documents(list(texts)) == _hash_of_documents(texts)


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = RunStore(None)
    assert not store
    store.put(KEY, {}, {})
    assert store.get(KEY) is None
    rows, seconds = store.embed(MatryoshkaBackend(), ["one text", "another"])
    assert rows.shape == (2, 256)
    assert seconds > 0
    assert [*tmp_path.iterdir()] == []


def test_encoding_takes_what_it_took_when_it_was_done(tmp_path):
    store, texts = RunStore(tmp_path), ["one text", "another"]
    rows, seconds = store.embed(MatryoshkaBackend(), texts)
    again, known = RunStore(tmp_path).embed(MatryoshkaBackend(), texts)
    np.testing.assert_array_equal(again, rows)
    assert known == seconds > 0


def test_a_store_of_version_0_1_gives_its_embeddings(tmp_path, encoded, recwarn):
    """Its runs are computed again: they are known by arguments that are no longer."""
    shutil.copytree(OF_BEFORE, tmp_path / "store")
    kept = json.loads((OF_BEFORE / "documents.json").read_text("utf-8"))
    if kept["sentence-transformers"] != version("sentence-transformers"):
        pytest.skip("another version of sentence-transformers describes its models differently")
    comparison = compare_dimensions(
        kept["documents"],
        BERTopic(
            embedding_model=MatryoshkaBackend(),
            umap_model=DimensionSelector(),
            hdbscan_model=LeidenClustering(min_cluster_size=2),
        ),
        dims=[64],
        seeds=1,
        scorer=TopicScorer(n_replicates=0, n_resamples=5),
        store=tmp_path / "store",
        progress=False,
    )
    assert encoded == []
    model = comparison.embedding_models[BUNDLED]
    np.testing.assert_allclose(
        model.embeddings, MatryoshkaBackend().embed(kept["documents"]), atol=1e-6
    )
    assert model.encode_seconds is None  # it is not known what they took
    assert not [w for w in recwarn if issubclass(w.category, DamagedFileWarning)]

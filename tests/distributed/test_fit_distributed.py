"""fit_distributed: the counts of all, the topics of the sample; whole or not there, and goes on."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import killed_distributed
import numpy as np
import pandas as pd
import pytest
from bertopic.representation import MaximalMarginalRelevance
from bertopic.vectorizers import ClassTfidfTransformer
from filelock import FileLock
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
    fit_distributed,
    load_topic_model,
)

SCRIPT = Path(__file__).parents[1] / "killed_distributed.py"
THEMES = {
    "animals": ["dog", "cat", "horse", "wolf", "fox", "bear", "lion", "mouse"],
    "taxes": ["tax", "income", "audit", "refund", "return", "ledger", "duty", "levy"],
    "splines": ["spline", "knot", "cubic", "curve", "degree", "basis", "fit", "tangent"],
    "cooking": ["bread", "oven", "flour", "yeast", "butter", "salt", "sugar", "dough"],
}


@pytest.fixture(scope="module")
def table():
    """240 short texts of four themes, with IDs that say nothing of their order.

    The last word of each is not of its theme.
    """
    rng = np.random.default_rng(0)
    names = rng.permutation(240)
    ends = rng.choice(["paper", "note", "report"], 240, p=[0.5, 0.3, 0.2])
    texts = [
        " ".join([*rng.choice(THEMES[theme], 5), end])
        for theme, end in zip([*THEMES] * 60, ends, strict=True)
    ]
    return pd.DataFrame({"key": [f"doc {n}" for n in names], "body": texts})


@pytest.fixture(scope="module")
def file(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "texts.parquet"
    table.to_parquet(path)
    return path


COLUMNS = {"text_column": "body", "id_column": "key", "engine": "local"}


def small_model(**changed):
    return build_topic_model(
        MatryoshkaBackend(truncate_dim=32), hdbscan_model=LeidenClustering(4), **changed
    )


@pytest.fixture(scope="module")
def fitted(file, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    return fit_distributed(
        file, out=out, topic_model=small_model(), sample_size=100, rows_per_partition=50, **COLUMNS
    )


def whole(fitted, table):
    """The texts of all documents with their topics."""
    topics = pd.read_parquet(fitted.topics)
    return table.merge(topics, left_on="key", right_on="id")


def test_sizes_and_words_are_those_of_all_documents(fitted, table):
    rows = whole(fitted, table)
    model = fitted.topic_model
    assert len(rows) == fitted.n_documents == sum(model.topic_sizes_.values()) == 240
    assert model.topic_sizes_ == rows.groupby("topic").size().to_dict()
    assert model.get_topic_info()["Count"].sum() == 240
    joined = rows.groupby("topic")["body"].agg(" ".join)
    vectorizer = CountVectorizer(stop_words="english")
    counts = vectorizer.fit_transform(joined)
    weights = ClassTfidfTransformer().fit(counts).transform(counts)
    assert (model.c_tf_idf_ != weights).nnz == 0
    assert model.vectorizer_model.vocabulary_ == vectorizer.vocabulary_
    words = vectorizer.get_feature_names_out()
    for topic, row in enumerate(weights.toarray()):
        best = row.max()
        word, weight = model.get_topic(topic)[0]
        assert weight == best
        assert word in words[row == best]


def test_topics_are_those_of_bertopic_on_the_sample(fitted, table):
    sample = pd.read_parquet(fitted.topics.parent / "sample.parquet")
    texts = table.set_index("key")["body"]
    alone = small_model().fit(texts[sample["id"]].tolist())
    assert alone.topics_ == sample["topic"].tolist() == fitted.topic_model.topics_
    np.testing.assert_allclose(alone.probabilities_, sample["probability"])
    np.testing.assert_allclose(alone.probabilities_, fitted.topic_model.probabilities_)
    assert alone.representative_docs_ == fitted.topic_model.representative_docs_
    np.testing.assert_allclose(alone.topic_embeddings_, fitted.topic_model.topic_embeddings_)
    found = pd.read_parquet(fitted.topics).set_index("id")["topic"]
    assert found[sample["id"]].tolist() == alone.topics_
    rest = texts.index.difference(sample["id"])
    assert found[rest].tolist() == alone.transform(texts[rest].tolist())[0]


def test_documents_of_the_sample_keep_the_topics_of_the_fit(file, tmp_path):
    """Also where the clusterer would assign them otherwise, as it does after a merge of topics."""
    model = build_topic_model(
        MatryoshkaBackend(truncate_dim=32), hdbscan_model=KMeans(9, max_iter=1, random_state=0)
    )
    fitted = fit_distributed(file, out=tmp_path, topic_model=model, sample_size=100, **COLUMNS)
    sample = pd.read_parquet(tmp_path / "sample.parquet").set_index("id")
    found = pd.read_parquet(fitted.topics).set_index("id")
    assert found.loc[sample.index, "topic"].tolist() == sample["topic"].tolist()
    assert found["probability"].isna().all()
    assert fitted.topic_model.probabilities_ is None


def test_the_saved_model_is_the_one_given_back(fitted, table):
    loaded = load_topic_model(fitted.topics.parent / "topic_model")
    assert loaded.topic_sizes_ == fitted.topic_model.topic_sizes_
    words = [[list(pair) for pair in words] for words in fitted.topic_model.get_topics().values()]
    assert list(loaded.get_topics().values()) == words
    texts = table["body"].tolist()
    assert loaded.transform(texts)[0] == fitted.topic_model.transform(texts)[0]
    assert fitted.topic_model.find_topics("a horse", top_n=1)[1][0] > 0.2


def test_neither_order_nor_partitions_matter(fitted, table, tmp_path):
    """Those of a model whose rows do not depend on their batch."""
    folder = tmp_path / "texts"
    folder.mkdir()
    shuffled = table.sample(frac=1, random_state=1)
    shuffled["body"] = shuffled["body"].astype("category")  # as Arrow's dictionaries
    for part, start in enumerate(range(0, 240, 90)):
        shuffled.iloc[start : start + 90].to_parquet(
            folder / f"{part}.parquet", row_group_size=20, index=False
        )
    other = fit_distributed(
        folder,
        out=tmp_path / "out",
        topic_model=small_model(),
        sample_size=100,
        rows_per_partition=33,
        **COLUMNS,
    )
    both = [pd.read_parquet(f.topics).sort_values("id", ignore_index=True) for f in (fitted, other)]
    pd.testing.assert_frame_equal(*both)
    assert (fitted.topic_model.c_tf_idf_ != other.topic_model.c_tf_idf_).nnz == 0


def test_another_seed_draws_another_sample(file, fitted, tmp_path):
    fit_distributed(
        file,
        out=tmp_path,
        topic_model=small_model(),
        sample_size=100,
        random_state=1,
        **COLUMNS,
    )
    first, second = (
        set(pd.read_parquet(folder / "sample.parquet")["id"])
        for folder in (fitted.topics.parent, tmp_path)
    )
    assert 20 < len(first & second) < 65  # 42 are expected


@pytest.mark.parametrize(
    "limits", [{"min_df": 2}, {"max_df": 1}, {"max_df": 0.5}, {"max_features": 9}, {"binary": True}]
)
def test_the_vectorizers_limits_hold_for_the_whole(file, fitted, table, tmp_path, limits):
    model = small_model(vectorizer_model=CountVectorizer(**limits))
    found = fit_distributed(file, out=tmp_path, topic_model=model, sample_size=100, **COLUMNS)
    joined = whole(fitted, table).groupby("topic")["body"].agg(" ".join)
    expected = CountVectorizer(**limits).fit(joined)
    kept = found.topic_model.vectorizer_model.vocabulary_
    if "max_features" not in limits:
        assert kept == expected.vocabulary_
    else:  # CountVectorizer breaks ties as they come
        total = pd.Series(" ".join(joined).split()).value_counts()
        assert total[list(kept)].sum() == total.iloc[:9].sum()
    if "binary" in limits:
        weights = ClassTfidfTransformer()
        counts = expected.transform(joined)
        difference = weights.fit(counts).transform(counts) - found.topic_model.c_tf_idf_
        assert abs(difference).max() < 1e-12


def test_rare_words_are_left_out(file, fitted, table, tmp_path):
    found = fit_distributed(
        file,
        out=tmp_path,
        topic_model=small_model(),
        sample_size=100,
        min_word_count=40,
        **COLUMNS,
    )
    total = pd.Series(" ".join(table["body"]).split()).value_counts()
    common = sorted(total.index[total >= 40])
    assert sorted(found.topic_model.vectorizer_model.vocabulary_) == common
    assert 0 < len(common) < len(fitted.topic_model.vectorizer_model.vocabulary_)


def test_an_outlier_that_the_sample_has_not(table, tmp_path):
    """No word of it is known, so that its embedding is zero."""
    unknown = table.copy()
    unknown.loc[:0, "body"] = ["狗"]
    unknown.to_parquet(tmp_path / "texts.parquet")
    fitted = fit_distributed(
        tmp_path / "texts.parquet",
        out=tmp_path / "out",
        topic_model=small_model(),
        sample_size=10,
        **COLUMNS,
    )
    model = fitted.topic_model
    assert -1 not in model.topics_
    assert model.topic_sizes_[-1] == 1
    assert model.c_tf_idf_.shape[0] == len(model.topic_embeddings_) == len(model.topic_sizes_)
    assert model.get_topic_info()["Topic"].tolist() == sorted(model.topic_sizes_)
    loaded = load_topic_model(tmp_path / "out" / "topic_model")
    assert loaded.transform(["a cat and a dog", "狗"])[0][1] == -1


def test_representation_models_get_the_words_of_all(file, fitted, tmp_path):
    model = small_model(representation_model={"Main": MaximalMarginalRelevance(0.1), "Plain": []})
    found = fit_distributed(file, out=tmp_path, topic_model=model, sample_size=100, **COLUMNS)
    plain = found.topic_model.topic_aspects_["Plain"]
    for topic, words in plain.items():
        assert words == fitted.topic_model.get_topic(topic)
        assert {word for word, _ in found.topic_model.get_topic(topic)} <= {
            *fitted.topic_model.vectorizer_model.vocabulary_,
            "",
        }


def test_rows_without_text_are_left_out_and_counted(table, tmp_path):
    holes = table.copy()
    holes.loc[[3, 100, 239], "body"] = [None, "", " \n"]
    holes.to_parquet(tmp_path / "texts.parquet")
    with pytest.warns(RuntimeWarning, match="3 rows without text were left out of 240"):
        fitted = fit_distributed(
            tmp_path / "texts.parquet",
            out=tmp_path / "out",
            topic_model=small_model(),
            rows_per_partition=100,
            **COLUMNS,
        )
    assert (fitted.n_documents, fitted.n_sampled, fitted.n_empty) == (237, 237, 3)
    assert not pd.read_parquet(fitted.topics)["id"].isin(holes["key"][[3, 100, 239]]).any()


@pytest.fixture(scope="module")
def letters_file(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("letters") / "texts.parquet"
    table.rename(columns={"body": "text", "key": "id"}).to_parquet(path)
    return path


def test_a_killed_run_goes_on(letters_file, tmp_path):
    """There are six partitions, and the model dies in the fourth."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(letters_file), str(tmp_path / "out")],
        env={**os.environ, "LAST_CALL": "4"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    embeddings = tmp_path / "out" / "embeddings"
    names = sorted(path.name for path in embeddings.glob("*.parquet"))
    assert names == [f"part-0000{number}.parquet" for number in range(3)]
    (embeddings / ".part-00003.parquet.0123.tmp").write_bytes(b"what a killed worker leaves")
    killed_distributed.calls.clear()
    resumed = killed_distributed.fit_distributed(letters_file, tmp_path / "out")
    assert sum(n for n in killed_distributed.calls if n == 40) == 120
    assert not list((tmp_path / "out").rglob("*.tmp"))

    at_once = killed_distributed.fit_distributed(letters_file, tmp_path / "other")
    for folder in ("embeddings", "topics", "words", "vocabulary"):
        files = sorted((tmp_path / "other" / folder).iterdir())
        assert files
        for file in files:
            pd.testing.assert_frame_equal(
                pd.read_parquet(file), pd.read_parquet(tmp_path / "out" / folder / file.name)
            )
    assert resumed.topic_model.get_topics() == at_once.topic_model.get_topics()

    killed_distributed.calls.clear()
    (tmp_path / "out" / "topics" / "part-00002.parquet").unlink()
    again = killed_distributed.fit_distributed(letters_file, tmp_path / "out")
    assert again.topic_model.topic_sizes_ == at_once.topic_model.topic_sizes_
    assert not [n for n in killed_distributed.calls if n == 40]


def test_the_folder_of_another_run_is_refused(letters_file, tmp_path, monkeypatch):
    out = tmp_path / "out"
    killed_distributed.fit_distributed(letters_file, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != ".lock"}
    changed = pd.read_parquet(letters_file)
    changed.loc[17, "text"] = changed.loc[17, "text"][::-1]
    changed.to_parquet(tmp_path / "changed.parquet")
    fit = killed_distributed.fit_distributed
    with pytest.raises(FileExistsError, match="another run: its documents, partitions were"):
        fit(tmp_path / "changed.parquet", out)
    with pytest.raises(FileExistsError, match="another run: its sample_size was different"):
        fit(letters_file, out, sample_size=99)
    with pytest.raises(FileExistsError, match="another run: its backend, topic_model were"):
        fit(letters_file, out, model=lambda texts: np.ones((len(texts), 4)))
    monkeypatch.setattr(killed_distributed, "LeidenClustering", lambda n: LeidenClustering(n + 1))
    with pytest.raises(FileExistsError, match="another run: its topic_model was different"):
        fit(letters_file, out)
    assert before == {path: path.stat().st_mtime_ns for path in before}
    with pytest.raises(FileExistsError, match="has files in it"):
        fit(letters_file, tmp_path)
    with FileLock(out / ".lock"), pytest.raises(FileExistsError, match="in use by another process"):
        fit(letters_file, out)


def test_a_full_disk_leaves_what_is_whole(letters_file, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"part-00000\.parquet could not be written.*goes on"):
            killed_distributed.fit_distributed(letters_file, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    left = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(left) == [".lock", "run.json"]
    assert killed_distributed.fit_distributed(letters_file, tmp_path / "out").n_documents == 240


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="text"), "text_column='text' is not a column of .*'id', 'other'"),
        (lambda t: t.drop(columns="id"), "id_column='id' is not a column"),
        (lambda t: t.assign(text=1.5), "text_column='text' of .* holds double and must hold str"),
        (lambda t: t.assign(id=0.5), "id_column='id' of .* and must hold strings or integers"),
        (lambda t: t.head(0), "has no rows"),
        (lambda t: t.assign(text=" "), "has no text in any of 60 rows"),
        (lambda t: t.assign(id=[None, *t["id"][1:]]), "1 rows without an ID, among rows 0 to 39"),
        (lambda t: t.assign(id="same"), "id_column='id' has 'same' more than once"),
    ],
)
def test_data_that_cannot_be_fitted(letters_file, tmp_path, change, message):
    table = pd.read_parquet(letters_file).head(60).assign(other=1)
    change(table).to_parquet(tmp_path / "texts.parquet")
    with pytest.raises(ValueError, match=message):
        killed_distributed.fit_distributed(tmp_path / "texts.parquet", tmp_path / "out")
    if "more than once" not in message:  # found after the embedding
        assert not (tmp_path / "out").exists()


def test_files_that_are_none(tmp_path):
    fit = killed_distributed.fit_distributed
    with pytest.raises(FileNotFoundError, match="does not exist"):
        fit(tmp_path / "none.parquet", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"no file that ends in \.parquet"):
        fit(tmp_path, tmp_path / "out")
    (tmp_path / "texts.parquet").write_text("no Parquet")
    with pytest.raises(ValueError, match="is not a readable Parquet file"):
        fit(tmp_path, tmp_path / "out")
    with pytest.raises(TypeError, match="dataset=3 must be the path of a Parquet file"):
        fit(3, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_models_that_workers_could_not_load(file, tmp_path):
    backend = MatryoshkaBackend(truncate_dim=32)
    with pytest.raises(ValueError, match="has a HDBSCAN as hdbscan_model, which save_topic_model"):
        fit_distributed(
            file,
            out=tmp_path / "out",
            topic_model=build_topic_model(backend, clustering="hdbscan"),
            **COLUMNS,
        )
    with pytest.raises(ValueError, match="Leave backend out"):
        fit_distributed(file, backend, out=tmp_path / "out", topic_model=small_model(), **COLUMNS)


def test_ray_is_asked_for_by_its_extra(file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match='the extra "ray"'):
        fit_distributed(file, out=tmp_path / "out", **{**COLUMNS, "engine": "ray"})
    assert not (tmp_path / "out").exists()

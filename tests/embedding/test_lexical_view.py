"""A second view of the texts: by hand, joined with embeddings, in a backend, saved and loaded."""

import pickle
import warnings

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.representation import KeyBERTInspired, MaximalMarginalRelevance
from bertopic.vectorizers import OnlineCountVectorizer
from hdbscan import HDBSCAN
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sentence_transformers import SentenceTransformer
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from tiny_models import make_model

from bertopic_matryoshka import (
    LeidenClustering,
    LexicalView,
    MatryoshkaBackend,
    TopicScorer,
    TruncationWarning,
    build_topic_model,
    compare_dimensions,
    truncate,
)
from bertopic_matryoshka.embedding import EmbeddingStore, embedding_key

SMALL = ["sparse matrix rows", "sparse matrix columns", "spline knots", "a smooth spline"]


def small_view(**options):
    return LexicalView(2, **{"vectorizer": TfidfVectorizer(), **options}).fit(SMALL)


@pytest.fixture(scope="session")
def view(docs):
    return LexicalView(20, weight=0.5).fit(docs)


@pytest.fixture(scope="session")
def joined(backend, view):
    return backend.with_view(view)


@pytest.fixture(scope="session")
def joined_model(joined, docs):
    return build_topic_model(joined, hdbscan_model=LeidenClustering(8)).fit(docs)


@parametrize_with_checks([LexicalView()])
def test_is_an_estimator(estimator, check):
    check(estimator)


# ---- the view


def test_texts_that_share_words_are_alike_and_others_are_not():
    view = small_view()
    rows = view.transform([*SMALL, "sparse", "knots"])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    # Two blocks of words that share no document: each has one axis, and nothing of the other's.
    expected = [[1, 0], [1, 0], [0, 1], [0, 1], [1, 0], [0, 1]]
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_axes_are_those_of_the_tf_idf_matrix(docs):
    axes = LexicalView(5).fit(docs).components_
    counts = TfidfVectorizer(min_df=3, stop_words="english").fit_transform(docs).toarray()
    np.testing.assert_allclose(axes @ axes.T, np.eye(5), atol=1e-4)
    # The SVD is a randomised one: near the largest sum that five axes can have.
    kept = np.square(counts @ axes.T).sum()
    largest = np.square(np.linalg.svd(counts, compute_uv=False)[:5]).sum()
    assert 0.98 * largest < kept <= largest * (1 + 1e-6)


def test_a_text_has_the_same_row_alone_and_among_others(view, docs):
    np.testing.assert_array_equal(view.transform(docs[:3])[1:2], view.transform([docs[1]]))
    assert view.transform([]).shape == (0, 20)


def test_the_same_seed_gives_the_same_view(view, docs):
    again = LexicalView(20, weight=0.5).fit(docs)
    np.testing.assert_array_equal(again.components_, view.components_)


def test_words_that_never_meet_the_axes_count_as_unknown():
    # "lone" is alone in its texts, so that its loadings on the first axes are rounding errors.
    texts = [*SMALL * 5, "lone", "lone"]
    view = LexicalView(2, vectorizer=TfidfVectorizer()).fit(texts)
    assert not view.transform(["lone"]).any()


def test_other_languages_and_vectorizers():
    texts = ["die katze schläft", "die katze und der hund", "ein hund bellt", "katze hund"] * 3
    german = LexicalView(2, vectorizer=TfidfVectorizer(stop_words=["die", "der", "und"]))
    assert "katze" in german.fit(texts).vectorizer_.vocabulary_
    characters = CountVectorizer(analyzer="char", ngram_range=(1, 2))
    rows = (
        LexicalView(2, vectorizer=characters).fit(["猫が寝る", "犬が寝る", "魚"]).transform(["猫"])
    )
    np.testing.assert_allclose(np.linalg.norm(rows), 1, atol=1e-6)
    hashed = LexicalView(2, vectorizer=HashingVectorizer(n_features=64)).fit(SMALL)
    assert hashed.transform(["knots"]).any()
    piped = LexicalView(2, vectorizer=make_pipeline(CountVectorizer())).fit(SMALL)
    assert piped.transform(["knots"]).any()


def test_the_vectorizer_that_was_given_is_not_fitted():
    vectorizer = TfidfVectorizer()
    small_view(vectorizer=vectorizer)
    assert not hasattr(vectorizer, "vocabulary_")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "n_components=0 must be at least 1"),
        ({"n_components": 2.0}, TypeError, "n_components=2.0 must be an int"),
        ({"n_components": 4}, ValueError, "must be less than the number of documents, 4, and of"),
        ({"weight": 0}, ValueError, "weight=0 must be above 0, and finite. Leave the view out"),
        ({"weight": float("nan")}, ValueError, "weight=nan must be above 0"),
        ({"weight": "half"}, TypeError, "weight='half' must be a number"),
        ({"vectorizer": "tfidf"}, TypeError, "vectorizer='tfidf' must be a vectorizer"),
        ({"vectorizer": None}, ValueError, "no words in the 4 documents.* must be in 3 documents"),
    ],
)
def test_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        LexicalView(**{"n_components": 2, "vectorizer": TfidfVectorizer(), **options}).fit(SMALL)


def test_copies_have_too_few_axes():
    with pytest.raises(ValueError, match="n_components=4 is more than the 3 independent axes"):
        LexicalView(4, vectorizer=TfidfVectorizer()).fit(["a1 b1", "c1 d1", "e1 f1"] * 4)


def test_bad_documents(view):
    for call in (LexicalView().fit, view.transform):
        with pytest.raises(TypeError, match=r"documents\[1\]=None is of type NoneType"):
            call(["a", None])
        with pytest.raises(TypeError, match="single string"):
            call("a text")
    with pytest.raises(NotFittedError):
        LexicalView().transform(["a"])


# ---- joined


def test_joined_by_hand():
    found = small_view(weight=0.5).join([[3.0, 4.0], [0.0, 2.0]], ["sparse", "knots"])
    expected = np.array([[0.6, 0.8, 0.5, 0], [0, 1, 0, 0.5]]) / np.sqrt(1.25)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(
    arrays(np.float64, (4, 3), elements=st.floats(-1, 1, width=32)),
    st.floats(0.05, 3),
)
def test_a_cosine_is_the_mixture_that_the_docstring_gives(embeddings, weight):
    embeddings[np.linalg.norm(embeddings, axis=1) < 1e-3] = 1
    view = small_view(weight=weight)
    joined = view.join(embeddings, SMALL)
    mixture = cosine_similarity(embeddings) + weight**2 * cosine_similarity(view.transform(SMALL))
    np.testing.assert_allclose(joined @ joined.T, mixture / (1 + weight**2), atol=1e-6)


def test_texts_without_a_known_word_have_their_embedding_alone_and_are_counted():
    X = np.eye(3, dtype=np.float32)
    with pytest.warns(RuntimeWarning, match="2 of 3 texts have no word of the lexical view"):
        found = small_view().join(X, ["", "unheard of", "knots"])
    np.testing.assert_array_equal(found[:2], np.hstack([X[:2], np.zeros((2, 2))]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small_view().join(X[2:], ["knots"])


def test_bad_embeddings():
    view = small_view()
    with pytest.raises(ValueError, match=r"shape \(3, 3\) and must have one row for each of the 1"):
        view.join(np.eye(3), ["knots"])
    with pytest.raises(ValueError, match="NaN"):
        view.join([[np.nan, 1]], ["knots"])


# ---- in a backend


def test_a_backends_rows_are_the_joined_ones(backend, joined, view, docs, embeddings):
    found = joined.embed(docs)
    assert found.shape == (len(docs), joined.embedding_dim) == (len(docs), 84)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, view.join(embeddings, docs), atol=1e-6)
    np.testing.assert_array_equal(joined.embed_words(["matrix"]), joined.embed(["matrix"]))
    np.testing.assert_array_equal(joined.embed([docs[0]] * 2)[1], joined.embed([docs[0]])[0])
    assert joined.embed([]).shape == (0, 84)
    assert backend.lexical_view is None
    np.testing.assert_array_equal(joined.with_view(None).embed(docs[:5]), backend.embed(docs[:5]))


def test_truncation_cuts_the_embedding_and_leaves_the_view(joined, view, docs, full_embeddings):
    assert (joined.full_dim, joined.dims) == (256, (256, 128, 64, 32))
    for dim in (256, 32, None):
        cut = joined.truncated(dim)
        assert cut.embedding_dim == (dim or 256) + 20
        expected = view.join(truncate(full_embeddings, dim or 256), docs)
        np.testing.assert_allclose(cut.embed(docs), expected, atol=1e-6)
    permuted = joined.permuted(3).truncated(32).embed(docs[:5])
    np.testing.assert_allclose(permuted[:, 32:], joined.truncated(32).embed(docs[:5])[:, 32:])


def test_unknown_words_warn_for_documents_and_not_for_words(joined, recwarn):
    joined.embed_words(["zzyzx", ""])
    assert not recwarn.list
    with pytest.warns(RuntimeWarning, match="1 of 2 texts have no word of the lexical view"):
        rows = joined.embed(["zzyzx", "matrix"])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    with pytest.warns(TruncationWarning, match="1 rows are zero in the first 84 dimensions"):
        joined.embed(["", "matrix"])


def test_a_text_without_an_embedding_has_its_view(tmp_path, monkeypatch):
    backend = MatryoshkaBackend(make_model(tmp_path / "model")).with_view(small_view())
    monkeypatch.setattr(
        SentenceTransformer, "encode", lambda self, texts, **_: np.zeros((len(texts), 24), "f4")
    )
    assert (backend.embed_words(["knots"])[0, :24] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(backend.embed(["knots"])), 1, atol=1e-6)


def test_only_a_fitted_view_is_taken(backend):
    with pytest.raises(TypeError, match="view is of type list and must be a LexicalView"):
        backend.with_view(SMALL)
    with pytest.raises(NotFittedError):
        backend.with_view(LexicalView())


def test_a_pickled_backend_keeps_its_view(joined, docs):
    again = pickle.loads(pickle.dumps(joined))
    np.testing.assert_array_equal(again.embed(docs[:5]), joined.embed(docs[:5]))


def test_the_store_shares_rows_between_views(tmp_path, backend, joined, docs, encoded):
    store = EmbeddingStore(tmp_path)
    plain = store.embed(backend, docs[:20])
    encoded.clear()
    found = store.embed(joined, docs[:20])
    assert not encoded
    np.testing.assert_allclose(found, joined.truncated(None).embed(docs[:20]), atol=1e-6)
    assert found.shape[1] == plain.shape[1] + 20
    assert embedding_key(joined) == embedding_key(backend)


# ---- in BERTopic


def test_words_find_topics_by_the_same_vocabulary(joined_model):
    assert joined_model.umap_model.width == joined_model.topic_embeddings_.shape[1] == 84
    topics, similarities = joined_model.find_topics("sparse matrix", top_n=1)
    words = [word for word, _ in joined_model.get_topic(topics[0])]
    assert {"sparse", "matrix"} & set(words)
    assert similarities[0] > 0.3


@pytest.mark.parametrize("representation", [KeyBERTInspired(), MaximalMarginalRelevance(0.3)])
def test_representations_that_embed_words(joined, docs, representation):
    topic_model = build_topic_model(
        joined, hdbscan_model=LeidenClustering(4), representation_model=representation
    ).fit(docs)
    assert all(word for topic in topic_model.get_topics().values() for word, _ in topic)


def test_with_a_reducer_and_hdbscan(joined, docs):
    topic_model = BERTopic(
        embedding_model=joined,
        umap_model=PCA(5, random_state=0),
        hdbscan_model=HDBSCAN(10, prediction_data=True),
    ).fit(docs)
    assert len(topic_model.get_topics()) > 3
    assert len(topic_model.transform(docs[:3])[0]) == 3


def test_a_stream_keeps_the_view_of_its_first_batch(docs, backend):
    parts = [docs[start : start + 150] for start in (0, 150, 300)]
    joined = backend.with_view(LexicalView(10).fit(parts[0]))
    topic_model = build_topic_model(
        joined,
        hdbscan_model=MiniBatchKMeans(5, random_state=0, n_init=3),
        vectorizer_model=OnlineCountVectorizer(stop_words="english"),
    )
    for part in parts:
        topic_model.partial_fit(part)
    assert len(topic_model.topics_) == len(parts[-1])
    assert len(topic_model.transform(docs)[0]) == len(docs)


def test_a_comparison_encodes_once_with_and_without_a_view(backend, joined, docs, encoded):
    full, subset = backend.truncated(None), docs[:150]
    topic_models = {
        name: BERTopic(
            embedding_model=model,
            umap_model=build_topic_model(model).umap_model,
            hdbscan_model=LeidenClustering(4),
        )
        for name, model in {"plain": full, "joined": joined.truncated(None)}.items()
    }
    comparison = compare_dimensions(
        subset,
        topic_models,
        dims=[256, 32],
        seeds=1,
        scorer=TopicScorer(n_replicates=2, n_resamples=2),
        progress=False,
    )
    assert len(encoded) == len(set(subset))
    assert len(comparison.embedding_models) == 1
    by_hand = build_topic_model(joined.truncated(32), hdbscan_model=LeidenClustering(4))
    by_hand.fit(subset)
    (run,) = [r for r in comparison.runs if (r.topic_model, r.dim) == ("joined", 32)]
    assert run.n_topics == len(by_hand.get_topics())
    topics = {r.topic_model: r.document_topics for r in comparison.runs if r.dim == 32}
    assert np.mean(topics["joined"] == by_hand.topics_) > 0.95
    assert (topics["plain"] != topics["joined"]).any()


def test_a_stored_run_is_of_one_view(tmp_path, backend, docs):
    def compare(view):
        return compare_dimensions(
            docs[:120],
            build_topic_model(backend.with_view(view), hdbscan_model=LeidenClustering(4)),
            dims=[64],
            seeds=1,
            scorer=TopicScorer(n_replicates=0, n_resamples=2),
            store=tmp_path,
            progress=False,
        )

    def n_stored():
        return len(list((tmp_path / "runs").glob("*.run")))

    compare(None)
    alone = n_stored()
    compare(LexicalView(5, weight=1).fit(docs))
    assert n_stored() == alone + 1
    compare(LexicalView(5, weight=1).fit(docs))
    compare(None)
    assert n_stored() == alone + 1
    compare(LexicalView(5, weight=2).fit(docs))
    assert n_stored() == alone + 2

"""A topic model saved with the lexical view of its backend, and loaded without pickle."""

import json

import numpy as np
import pytest
from bertopic import BERTopic
from saved_files import edit_state
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline

from bertopic_matryoshka import (
    LeidenClustering,
    LexicalView,
    SavedModelError,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)


@pytest.fixture(scope="module")
def joined(backend, docs):
    return backend.with_view(LexicalView(20, weight=0.5).fit(docs))


@pytest.fixture(scope="module")
def joined_model(joined, docs):
    return build_topic_model(joined, hdbscan_model=LeidenClustering(8)).fit(docs)


def test_a_topic_model_comes_back_with_its_view(joined_model, joined, docs, tmp_path, backend):
    save_topic_model(joined_model, tmp_path)
    for own in (None, backend, joined):
        loaded = load_topic_model(tmp_path, backend=own)
        view = loaded.embedding_model.lexical_view
        np.testing.assert_array_equal(view.transform(docs), joined.lexical_view.transform(docs))
        assert loaded.embedding_model.embedding_dim == 84
        assert loaded.transform(docs)[0] == joined_model.transform(docs)[0]
    assert loaded.find_topics("matrix")[0] == joined_model.find_topics("matrix")[0]
    again = tmp_path / "again"
    save_topic_model(loaded, again)
    assert load_topic_model(again).transform(docs)[0] == joined_model.transform(docs)[0]
    assert BERTopic.load(tmp_path, embedding_model=joined).topics_ == joined_model.topics_
    # A view that came back can be fitted anew as it was.
    np.testing.assert_array_equal(
        view.fit(docs).components_, LexicalView(20, weight=0.5).fit(docs).components_
    )


@pytest.mark.parametrize(
    "vectorizer",
    [
        CountVectorizer(ngram_range=(1, 2), stop_words=["the", "of"], binary=True),
        CountVectorizer(vocabulary=["matrix", "sparse", "filter", "signal", "spline", "distance"]),
        TfidfVectorizer(sublinear_tf=True, use_idf=False, token_pattern=r"[a-z]+", min_df=0.01),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=500),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no word of the lexical view:RuntimeWarning")
def test_vectorizers_that_can_be_saved(backend, docs, tmp_path, vectorizer):
    view = LexicalView(3, vectorizer=vectorizer, random_state=np.random.RandomState(1)).fit(docs)
    topic_model = build_topic_model(backend.with_view(view), hdbscan_model=LeidenClustering(4))
    save_topic_model(topic_model.fit(docs[:200]), tmp_path)
    again = load_topic_model(tmp_path).embedding_model.lexical_view
    np.testing.assert_array_equal(again.transform(docs), view.transform(docs))
    assert again.vectorizer_.vocabulary_ == view.vectorizer_.vocabulary_


@pytest.mark.parametrize(
    ("vectorizer", "message"),
    [
        (HashingVectorizer(n_features=256), "by a HashingVectorizer, which cannot be saved"),
        (make_pipeline(CountVectorizer()), "by a Pipeline, which cannot be saved"),
        (TfidfVectorizer(tokenizer=str.split, token_pattern=None), "tokenizer=.* which is code"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no word of the lexical view:RuntimeWarning")
def test_what_cannot_be_saved_is_refused(backend, docs, tmp_path, vectorizer, message):
    joined = backend.with_view(LexicalView(3, vectorizer=vectorizer).fit(docs))
    topic_model = build_topic_model(joined, hdbscan_model=LeidenClustering(4)).fit(docs[:200])
    with pytest.raises(TypeError, match=message):
        save_topic_model(topic_model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_backend_of_another_view_is_refused(joined_model, topic_model, backend, docs, tmp_path):
    save_topic_model(joined_model, tmp_path / "joined")
    other = backend.with_view(LexicalView(20, weight=0.4).fit(docs))
    with pytest.raises(ValueError, match=r"with another lexical view\. Pass backend\.with_view"):
        load_topic_model(tmp_path / "joined", backend=other)
    with pytest.raises(ValueError, match=r"produces embeddings 148 wide.*backend\.truncated\(64\)"):
        load_topic_model(tmp_path / "joined", backend=backend.truncated(128))
    save_topic_model(topic_model, tmp_path / "plain")
    with pytest.raises(ValueError, match="with no lexical view"):
        load_topic_model(tmp_path / "plain", backend=other)


def change_words(view):
    view["words"].pop()


def change_class(view):
    view["vectorizer"]["class"] = "HashingVectorizer"


def change_input(view):
    view["vectorizer"]["parameters"]["input"] = "filename"


def change_parameter(view):
    view["vectorizer"]["parameters"]["code"] = "import os"


def change_weight(view):
    view["weight"] = -1


def change_keys(view):
    view["more"] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_words, r"components of shape \(20, \d+\) do not fit"),
        (change_class, "'HashingVectorizer' is not one of TfidfVectorizer, CountVectorizer"),
        (change_input, "TfidfVectorizer has parameters that cannot be: input"),
        (change_parameter, r"TfidfVectorizer has parameters that cannot be: \['code'\]"),
        (change_weight, "weight=-1 must be above 0"),
        (change_keys, "lexical_view, has an unknown key 'more'"),
    ],
)
def test_a_view_that_does_not_fit_is_not_built(joined_model, tmp_path, change, message):
    save_topic_model(joined_model, tmp_path)
    edit_state(tmp_path, lambda state: change(state["lexical_view"]))
    with pytest.raises(SavedModelError, match=message):
        load_topic_model(tmp_path)


def test_the_words_are_json(joined_model, tmp_path):
    save_topic_model(joined_model, tmp_path)
    state = json.loads((tmp_path / "matryoshka.json").read_text("utf-8"))
    assert "matrix" in state["lexical_view"]["words"]
    assert state["lexical_view"]["weight"] == 0.5

"""Topics are described by words that say something: no stop words, in any language asked for."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from gensim.parsing.preprocessing import STOPWORDS
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from bertopic_matryoshka import (
    MatryoshkaBackend,
    build_topic_model,
    get_stop_words,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.cli.demo import load_docstrings

LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "torch")
# Lists that the package does not use, without their units and their noun.
NOT_WANTED = (STOPWORDS - {"computer", "kg", "km"}) | ENGLISH_STOP_WORDS | {"don", "ve", "ll", "re"}


@pytest.fixture(scope="module", params=LIBRARIES)
def corpus(request):
    return load_docstrings((request.param,), limit=300).texts


def words_of(topic_model):
    return {word for topic in topic_model.get_topics().values() for word, _ in topic}


def kept(text, **kwargs):
    """The words of a text that may describe a topic."""
    vectorizer = build_topic_model(MatryoshkaBackend(truncate_dim=64), **kwargs).vectorizer_model
    return vectorizer.build_analyzer()(text)


def test_no_english_stop_word_describes_a_topic(backend, corpus):
    topic_model = build_topic_model(backend).fit(corpus)
    assert len(topic_model.get_topics()) > 1
    assert words_of(topic_model) & NOT_WANTED == set()


def test_the_topics_do_not_depend_on_stop_words(backend, docs, embeddings):
    def fit(**kwargs):
        return build_topic_model(backend, **kwargs).fit(docs, embeddings)

    with_them, without = fit(stop_words=None), fit()
    assert with_them.topics_ == without.topics_
    assert "the" in words_of(with_them)
    assert "the" not in words_of(without)


@pytest.mark.parametrize(
    "text",
    [
        "I don't think the server didn't restart; they've said we'll wait, and it isn't theirs.",
        "I don\u2019t think the server didn\u2019t restart; they\u2019ve said we\u2019ll wait",
        "i dont think the server didnt restart; theyve said youll wait, and it isnt theirs",
        "I DON'T THINK THE SERVER DIDN'T RESTART; THEY'VE SAID WE'LL WAIT",
    ],
)
def test_what_is_left_of_contractions_is_no_word(text):
    assert kept(text) == ["think", "server", "restart", "said", "wait"]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("german", "Der Server wurde von uns nicht gestartet", ["server", "gestartet"]),
        ("de", "Der Server wurde von uns nicht gestartet", ["server", "gestartet"]),
        ("fr", "Aujourd'hui, c'est le serveur de l'école", ["serveur", "école"]),
        ("es", "El servidor no está en la misma red", ["servidor", "red"]),
        ("it", "Il server non è nella stessa rete", ["server", "rete"]),
        ("pt_BR", "O servidor não está na mesma rede", ["servidor", "rede"]),
        ("Russian", "Сервер не был в этой сети", ["сервер", "сети"]),
        ("english", "The server was not in this network", ["server", "network"]),
        ("en", "The server was not in this network", ["server", "network"]),
    ],
)
def test_other_languages_by_one_argument(language, text, expected):
    assert kept(text, stop_words=language) == expected


def test_two_languages_are_two_lists():
    both = get_stop_words("english") + get_stop_words("german")
    assert kept("the server und der Mond", stop_words=both) == ["server", "mond"]


def test_words_of_ones_own_are_split_as_documents_are():
    assert kept("The moon, don't you see?", stop_words=["Moon", "don't"]) == ["the", "you", "see"]
    assert kept("The moon", stop_words=iter(["moon"])) == ["the"]
    assert kept("The moon", stop_words=[]) == ["the", "moon"]
    assert kept("The moon", stop_words=None) == ["the", "moon"]


def test_the_vectorizer_that_is_given_is_taken(backend):
    given = CountVectorizer()
    assert build_topic_model(backend, vectorizer_model=given).vectorizer_model is given


def test_n_grams_have_no_stop_words_in_them():
    assert kept("state of the art", n_gram_range=(1, 2)) == ["state", "art", "state art"]


def test_the_list_is_what_a_vectorizer_takes():
    for language in ("english", "german", "fr"):
        stop_words = get_stop_words(language)
        assert stop_words == sorted(set(stop_words))
        vectorizer = CountVectorizer(stop_words=stop_words)
        assert vectorizer._check_stop_words_consistency(
            stop_words, vectorizer.build_preprocessor(), vectorizer.build_tokenizer()
        )


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        (
            {"stop_words": "english", "vectorizer_model": CountVectorizer()},
            ValueError,
            "stop_words='english' and vectorizer_model are both given",
        ),
        (
            {"stop_words": None, "vectorizer_model": CountVectorizer()},
            ValueError,
            "stop_words=None and vectorizer_model are both given",
        ),
        ({"stop_words": "the"}, ValueError, "'the' has no list of stop words. Pass english, .*de"),
        ({"stop_words": "ja"}, ValueError, "'ja': CountVectorizer does not split this language"),
        ({"stop_words": "Thai"}, ValueError, r"'Thai': .*get_stop_words\('Thai'\)"),
        ({"stop_words": 5}, TypeError, "stop_words=5 must be a list, each a word. Give a language"),
        (
            {"stop_words": ["a", 5]},
            TypeError,
            "stop_words=5 must be a word, not int. Give a language",
        ),
        ({"language": "german"}, ValueError, "language='german' chooses no stop words"),
        ({"language": "multilingual"}, ValueError, "Pass stop_words=..., a language"),
    ],
)
def test_what_cannot_be_done_is_refused(backend, kwargs, error, message):
    with pytest.raises(error, match=message):
        build_topic_model(backend, **kwargs)


def test_bertopics_language_goes_through_beside_stop_words():
    assert kept("der Mond", language="German", stop_words="german") == ["mond"]
    assert kept("the moon", language="English") == ["moon"]
    assert kept("the moon", language=None) == ["moon"]


def test_one_language_at_a_time():
    with pytest.raises(TypeError, match=r"language=\['de', 'fr'\] must be .* one language"):
        get_stop_words(["de", "fr"])


def test_without_stopwordsiso_only_other_languages_are_refused(monkeypatch, backend):
    monkeypatch.setitem(sys.modules, "stopwordsiso", None)
    with pytest.raises(ImportError, match='pip install stopwordsiso, or the extra "languages"'):
        build_topic_model(backend, stop_words="de")
    assert "the" in build_topic_model(backend).vectorizer_model.stop_words


def test_a_topic_of_stop_words_has_no_words():
    docs = ["who are you and what is this"] * 10 + ["red apple tree"] * 10
    rows = np.repeat(np.eye(2, 64, dtype=np.float32), 10, axis=0)
    topic_model = build_topic_model(
        MatryoshkaBackend(truncate_dim=64),
        reduction="none",
        hdbscan_model=KMeans(2, n_init=1, random_state=0),
    ).fit(docs, rows)
    assert sorted(map(sorted, (
        {word for word, _ in topic} for topic in topic_model.get_topics().values()
    ))) == [[""], ["", "apple", "red", "tree"]]  # fmt: skip


def test_a_corpus_of_stop_words_is_refused_unless_they_are_kept(backend):
    docs = ["who are you", "what is this", "how is it", "why not here"] * 10
    with pytest.raises(ValueError, match="documents only contain stop words"):
        build_topic_model(backend).fit(docs)
    assert "who" in words_of(build_topic_model(backend, stop_words=None).fit(docs))


def test_a_saved_model_keeps_its_stop_words(backend, docs, embeddings, tmp_path):
    topic_model = build_topic_model(backend, stop_words="german").fit(docs, embeddings)
    save_topic_model(topic_model, tmp_path / "model")
    loaded = load_topic_model(tmp_path / "model")
    assert loaded.vectorizer_model.build_analyzer()("der Mond") == ["mond"]
    loaded.update_topics(docs, vectorizer_model=loaded.vectorizer_model)
    assert loaded.get_topics().keys() == topic_model.get_topics().keys()

"""The bundled model, which is English, says so where texts are not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from bertopic import BERTopic

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
)

# Begins of the articles "weather" and "music" as an encyclopaedia would have them.
GERMAN = "Als Wetter bezeichnet man den spürbaren, kurzfristigen Zustand der Atmosphäre."
RUSSIAN = "Погода — совокупность значений метеорологических элементов в данный момент времени."
JAPANESE = "天気とは、ある場所における大気の状態のことである。"
ARABIC = "الطقس هو حالة الغلاف الجوي في مكان معين ووقت معين"
GREEK = "Ο καιρός είναι η κατάσταση της ατμόσφαιρας σε ένα τόπο"  # noqa: RUF001
THAI = "สภาพอากาศคือสภาวะของบรรยากาศในสถานที่หนึ่ง"
ENGLISH = "Weather is the state of the atmosphere, hot or cold, wet or dry, calm or stormy."
CODE = "Return np.argmax(x_i, axis=1) of the ndarray, as sklearn's KMeans.fit_predict does."


def texts_of(*sentences, n=20):
    """Different texts of the same words."""
    return [f"{sentences[i % len(sentences)]} {i}" for i in range(n)]


@pytest.mark.parametrize("sentence", [GERMAN, RUSSIAN, JAPANESE, ARABIC, GREEK, THAI])
def test_other_languages_are_warned_of(backend, sentence):
    with pytest.warns(RuntimeWarning, match=r"^20 of 20 texts have fewer than 60% of their words"):
        backend.embed(texts_of(sentence))


@pytest.mark.parametrize("sentence", [ENGLISH, CODE, "12.5 % ?!", "", "👍 🎉"])
def test_english_code_and_texts_without_words_are_not(backend, sentence):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "20 rows are zero")  # signs that no token is known for
        backend.embed(texts_of(sentence) if sentence else [" " * i for i in range(1, 21)])


def test_real_english_is_not_warned_of(backend, docs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backend.embed(docs)


@pytest.mark.parametrize(("n_foreign", "is_warned"), [(6, False), (7, True)])
def test_a_few_texts_are_no_reason(backend, n_foreign, is_warned):
    texts = texts_of(ENGLISH, n=20 - n_foreign) + texts_of(RUSSIAN, n=n_foreign)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend.embed(texts)
    messages = [str(warning.message) for warning in caught]
    assert [m.startswith("7 of 20 texts have fewer") for m in messages] == [True] * is_warned


def test_too_few_texts_tell_nothing(backend):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backend.embed(texts_of(RUSSIAN, n=19))
        backend.embed_words(texts_of(RUSSIAN))  # words are those of documents


def test_the_warning_names_counts_a_model_and_the_call(backend):
    with pytest.warns(RuntimeWarning) as caught:
        backend.embed(texts_of(THAI, GERMAN, n=1000))
    message = str(caught[0].message)
    assert "200 of 200 texts looked at, of 1,000," in message
    assert "(100 have none)" in message
    assert 'MatryoshkaBackend("sentence-transformers/static-similarity-mrl-multilingual' in message
    assert caught[0].filename == __file__


@pytest.mark.parametrize("build", [build_topic_model, BERTopic])
def test_a_topic_model_warns(backend, build):
    kwargs = {"hdbscan_model": LeidenClustering(2)}
    if build is BERTopic:
        kwargs |= {"embedding_model": backend, "umap_model": DimensionSelector()}
    else:
        kwargs["backend"] = backend
    with pytest.warns(RuntimeWarning, match="of 60 texts have fewer than 60%"):
        build(**kwargs).fit(texts_of(RUSSIAN, GREEK, n=60))


def test_other_models_are_not_judged():
    backend = MatryoshkaBackend(lambda texts: np.ones((len(texts), 4)))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*texts have fewer.*")
        backend.embed(texts_of(RUSSIAN))

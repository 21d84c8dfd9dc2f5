"""Coherence: equal to gensim's, by hand, and against plain counting."""

import math
import warnings
from itertools import combinations

import numpy as np
import pytest
import torch
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import TopicCoherence, embedding_coherence
from bertopic_matryoshka.evaluation._measures import MEASURES

GENSIM = ("c_v", "c_npmi", "c_uci", "u_mass")

words = st.sampled_from(["ant", "bee", "cat", "dog"])
texts = st.lists(st.lists(words, max_size=6).map(" ".join), min_size=1, max_size=12).filter(any)
token_lists = st.lists(st.lists(words, max_size=15), min_size=1, max_size=8)
repeating = st.lists(
    st.lists(st.one_of(words, st.just("unheard")), min_size=1, max_size=5), min_size=1, max_size=4
)


def by_gensim(tokens, topics, measure, window_size=None):
    dictionary = Dictionary(tokens)
    model = CoherenceModel(
        topics=topics,
        texts=tokens,
        corpus=[dictionary.doc2bow(text) for text in tokens],
        dictionary=dictionary,
        coherence=measure,
        window_size=window_size,
        processes=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over nothing
        return model.get_coherence_per_topic()


@pytest.mark.parametrize("measure", GENSIM)
@given(tokens=token_lists, topics=repeating, window_size=st.sampled_from([None, 1, 2, 3, 20]))
def test_equals_gensim_on_random_topics(measure, tokens, topics, window_size):
    """Repeated words, empty documents, words that never occur, windows longer than documents."""
    seen = {word for text in tokens for word in text}
    assume(all(seen & set(topic) for topic in topics))  # gensim fails on a topic without any
    window_size = None if measure == "u_mass" else window_size
    expected = by_gensim(tokens, topics, measure, window_size)
    scores = TopicCoherence(tokens, measure=measure, window_size=window_size).score_per_topic(
        topics
    )
    np.testing.assert_allclose(scores, expected, atol=1e-9)


@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2)])
@pytest.mark.parametrize("measure", GENSIM)
def test_equals_gensim_on_real_topics(measure, ngram_range, docs, doc_labels):
    """The words of each subpackage by c-TF-IDF, with words that never occur among them."""
    from bertopic.vectorizers import ClassTfidfTransformer

    vectorizer = CountVectorizer(stop_words="english", ngram_range=ngram_range)
    names = sorted(set(doc_labels))
    joined = [
        " ".join(d for d, label in zip(docs, doc_labels, strict=True) if label == name)
        for name in names
    ]
    weights = ClassTfidfTransformer().fit_transform(vectorizer.fit_transform(joined)).toarray()
    features = vectorizer.get_feature_names_out()
    topics = [features[row.argsort()[::-1][:10]].tolist() for row in weights]
    topics.append([*topics[0][:4], "never occurs", *topics[1][:4]])
    analyze = vectorizer.build_analyzer()
    tokens = [*map(analyze, docs), []]
    expected = by_gensim(tokens, topics, measure)
    coherence = TopicCoherence([*docs, ""], measure=measure, vectorizer=vectorizer)
    np.testing.assert_allclose(coherence.score_per_topic(topics), expected, atol=1e-9)
    assert coherence.score(topics) == pytest.approx(np.mean(expected))
    from_tokens = TopicCoherence(tokens, measure=measure)
    np.testing.assert_array_equal(
        from_tokens.score_per_topic(topics), coherence.score_per_topic(topics)
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("measure", MEASURES)
def test_gpu_equals_cpu(measure, docs):
    topics = [text.lower().split()[:10] for text in docs[:20]]
    on_gpu, on_cpu = (
        TopicCoherence(docs, measure=measure, device=device).score_per_topic(topics)
        for device in ("cuda", "cpu")
    )
    np.testing.assert_array_equal(on_gpu, on_cpu)


def test_what_we_give_where_gensim_fails():
    tokens = [["red", "apple"], ["blue", "sky"]]
    topics = [["unheard", "unseen"], [], [""]]
    for topic in topics:
        with pytest.raises(ValueError, match="unable to interpret topic"):
            by_gensim(tokens, [topic], "c_npmi")
    for measure in GENSIM:
        scores = TopicCoherence(tokens, measure=measure).score_per_topic([*topics, ["red", "sky"]])
        assert np.isnan(scores).tolist() == [True, True, True, False]
    assert TopicCoherence(tokens).score_per_topic([["red", "unheard"]]).tolist() == [1]
    assert np.isnan(TopicCoherence([]).score_per_topic([["red", "sky"]])).all()


@given(token_lists, repeating)
def test_scores_do_not_depend_on_what_else_is_scored(tokens, topics):
    """gensim's do not either: windows without any of the words count."""
    together = TopicCoherence(tokens).score_per_topic(topics)
    alone = [TopicCoherence(tokens).score([topic]) for topic in topics]
    np.testing.assert_allclose(together, alone)


def test_later_scores_are_look_ups():
    walks = []

    def analyze(text):
        walks.append(text)
        return text.split()

    documents = ["red apple", "red sky", "blue sky"]
    coherence = TopicCoherence(documents, vectorizer=CountVectorizer(analyzer=analyze))
    coherence.count([["red", "apple", "sky"]])
    coherence.tokens = None  # no walk over the corpus is needed from here on
    coherence.score([["red", "sky"], ["apple", "red"]])
    assert walks == documents


def test_counts_are_saved_and_extended(tmp_path):
    documents = ["red apple", "red sky", "blue sky"] * 3
    topics, more = [["red", "sky"]], [["red", "blue"], ["sky", "blue"]]
    first = TopicCoherence(documents, measure="c_npmi")
    first.score(topics)
    first.save_counts(tmp_path / "counts.npz")
    second = TopicCoherence(documents, measure="c_npmi")
    second.load_counts(tmp_path / "counts.npz")
    assert second.counts.words == ["red", "sky"]
    np.testing.assert_array_equal(second.score_per_topic(more), first.score_per_topic(more))
    # No new word is asked for, and the corpora have as many documents and tokens.
    for changed in (documents[::-1], [*documents[:-1], "blue apple"]):
        with pytest.raises(ValueError, match="counts are of another corpus"):
            TopicCoherence(changed, measure="c_npmi").load_counts(tmp_path / "counts.npz")
    bigrams = CountVectorizer(ngram_range=(1, 2))
    with pytest.raises(ValueError, match="or of another vectorizer"):
        TopicCoherence(documents, measure="c_npmi", vectorizer=bigrams).load_counts(
            tmp_path / "counts.npz"
        )
    other = TopicCoherence(documents, measure="c_v")
    with pytest.raises(ValueError, match="counts of window_size=10, but this has window_size=110"):
        other.load_counts(tmp_path / "counts.npz")


def npmi_by_counting(documents, a, b):
    n = len(documents)
    p_a, p_b, p_ab = (
        sum(all(w in document.split() for w in needed) for document in documents) / n
        for needed in ([a], [b], [a, b])
    )
    if p_ab == 0:
        return -1.0
    return 1.0 if p_ab == 1 else math.log(p_ab / (p_a * p_b)) / -math.log(p_ab)


def test_npmi_by_hand():
    documents = ["a b", "a b", "a c", "d"]
    vectorizer = CountVectorizer(token_pattern=r"\w")
    coherence = TopicCoherence(documents, measure="npmi", vectorizer=vectorizer)
    # p(a, b) = 1/2, p(a) = 3/4, p(b) = 1/2
    expected = math.log((1 / 2) / (3 / 4 * 1 / 2)) / -math.log(1 / 2)
    np.testing.assert_allclose(coherence.score_per_topic([["a", "b"]]), [expected])
    assert coherence.score([["a", "b"], ["b", "c"]]) == pytest.approx((expected - 1) / 2)


@given(texts, st.lists(st.lists(words, min_size=2, max_size=4, unique=True), min_size=1))
def test_npmi_equals_plain_counting(documents, topics):
    expected = [
        np.mean([npmi_by_counting(documents, a, b) for a, b in combinations(topic, 2)])
        for topic in topics
    ]
    scores = TopicCoherence(documents, measure="npmi").score_per_topic(topics)
    np.testing.assert_allclose(scores, expected, atol=1e-12)
    assert (np.abs(scores) <= 1 + 1e-12).all()


def test_words_that_never_occur_meet_no_other_in_npmi():
    coherence = TopicCoherence(["red apple", "blue sky"], measure="npmi")
    scores = coherence.score_per_topic([["red", "unheard"], ["unheard", "unseen"]])
    np.testing.assert_array_equal(scores, [-1, -1])


def test_padding_and_repetitions_do_not_count_in_npmi():
    coherence = TopicCoherence(["red apple", "red apple", "sky"], measure="npmi")
    scores = coherence.score_per_topic([["red", "red", "apple", "", ""], ["red", ""], []])
    np.testing.assert_allclose(scores, [1, np.nan, np.nan])


def test_no_topic_can_be_scored():
    assert math.isnan(TopicCoherence(["red apple"], measure="npmi").score([["red"]]))


def test_only_the_first_words_are_scored():
    coherence = TopicCoherence(["red apple", "red apple", "sky"], measure="npmi", top_n=2)
    np.testing.assert_allclose(coherence.score_per_topic([["red", "apple", "sky"]]), [1])


def test_the_vectorizer_decides_what_a_word_is():
    documents = ["New York is big", "new york again", "old york"]
    topic = [["new york", "york"]]
    bigrams = CountVectorizer(ngram_range=(1, 2))
    with_bigrams = TopicCoherence(documents, measure="npmi", vectorizer=bigrams)
    assert with_bigrams.score(topic) == pytest.approx(math.log(1) / -math.log(2 / 3))
    assert TopicCoherence(documents, measure="npmi").score(topic) == -1


class Wheel:
    """Embeds each word as a direction, by name."""

    def embed_words(self, words):
        known = {"east": 0, "north": 90, "north-east": 45, "nowhere": None}
        angles = [known[word] for word in words]
        # Lengths differ: only directions count.
        return np.array(
            [
                [0, 0]
                if a is None
                else (3 * math.cos(math.radians(a)), 3 * math.sin(math.radians(a)))
                for a in angles
            ]
        )


def test_embedding_coherence_by_hand():
    topics = [
        ["east", "north"],
        ["east", "north-east", "north", "", "east"],
        ["east"],
        ["east", "nowhere"],
    ]
    scores = embedding_coherence(topics, Wheel())
    np.testing.assert_allclose(scores, [0, math.sqrt(2) / 3, np.nan, 0], atol=1e-12)
    assert embedding_coherence(
        [["east", "north-east", "north"]], Wheel(), top_n=2
    ) == pytest.approx(math.sqrt(1 / 2))
    assert np.isnan(embedding_coherence([[], [""]], Wheel())).all()


def test_embedding_coherence_of_a_real_model(backend):
    coherent, mixed = embedding_coherence(
        [["spline", "interpolation", "polynomial"], ["spline", "license", "audio"]], backend
    )
    assert coherent > mixed + 0.1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"measure": "c_x"}, "measure='c_x' must be one of c_v, c_npmi"),
        ({"top_n": 1}, "top_n=1"),
        ({"window_size": 0}, "window_size=0 must be at least 1"),
        ({"measure": "npmi", "window_size": 5}, "window_size=5 must .* None for u_mass and npmi"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TopicCoherence(["red apple"], **parameters)


@pytest.mark.parametrize("topics", [["red", "apple"], [["red", 3]]])
def test_topics_are_lists_of_words(topics):
    with pytest.raises(TypeError, match=r"topics\[0\]=.* must be a list of words"):
        TopicCoherence(["red apple"]).score(topics)

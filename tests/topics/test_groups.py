"""Groups of topics, from the model alone."""

import numpy as np
import pytest

from bertopic_matryoshka.topics import group_topics, topic_vectors

WORDS = {
    -1: [("none", 1.0)],
    0: [("dog", 0.5), ("cat", 0.3)],
    1: [("cat", 0.6), ("", 0.00001)],
    2: [("tax", 0.2)],
    3: [("bank", 0.4), ("tax", 0.3)],
}


class Model:
    """What of a fitted BERTopic is read: four topics along two axes, and outliers."""

    c_tf_idf_ = None
    topic_embeddings_ = np.array([[1, 1], [2, 0], [3, 0.3], [0, 1], [0.2, 5]], dtype=float)

    def get_topics(self):
        return WORDS

    def get_topic(self, topic):
        return WORDS[topic]


def test_topics_near_each_other_are_one_group_described_by_its_documents():
    groups = group_topics(Model(), [0, 1, 2, 3], [10, 40, 30, 5], 2, n_words=2)
    assert [group.topics for group in groups] == [[1, 0], [2, 3]]
    assert [group.size for group in groups] == [50, 35]
    # cat 40 * .6 + 10 * .3, dog 10 * .5; tax 30 * .2 + 5 * .3, bank 5 * .4
    assert [group.words for group in groups] == [["cat", "dog"], ["tax", "bank"]]


def test_vectors_are_those_of_the_topics_asked_for():
    vectors = topic_vectors(Model(), [1, 2])
    assert vectors == pytest.approx(np.array([[3, 0.3] / np.hypot(3, 0.3), [0, 1]]))


def test_a_real_model_has_groups_of_two_or_more(topic_model):
    sizes = np.bincount(topic_model.topics_).tolist()
    groups = group_topics(topic_model, range(9), sizes, 4)
    assert sorted(topic for group in groups for topic in group.topics) == list(range(9))
    assert all(len(group.topics) >= 2 and len(group.words) == 3 for group in groups)
    assert sum(group.size for group in groups) == sum(sizes)

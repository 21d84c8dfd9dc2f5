"""Topics at two widths matched by their documents."""

import numpy as np
from made_runs import make_run

from bertopic_matryoshka.comparison._matching import SMALLEST_MATCH, pair_topics

# Topic 0 keeps 3 of its 4 documents as topic 5, topic 1 becomes topic 3, topic 2 dissolves, and
# topic 4 is new.
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]


def test_topics_are_matched_by_their_documents():
    pairs = pair_topics(make_run(4, document_topics=NARROW), make_run(8, document_topics=FULL))
    found = [(p.topic and p.topic.id, p.other and p.other.id, p.share) for p in pairs]
    assert found == [(0, 5, 3 / 4), (1, 3, 3 / 4), (2, None, 0), (None, 4, 0)]


def test_topics_that_share_next_to_nothing_are_not_matched():
    full = np.repeat([0, 1], [20, 20])
    narrow = np.where(np.arange(40) < 1, 0, -1)  # one document of topic 0's twenty
    assert SMALLEST_MATCH > 1 / 20
    pairs = pair_topics(make_run(4, document_topics=narrow), make_run(8, document_topics=full))
    assert [pair.share for pair in pairs] == [0, 0, 0]


def test_a_width_without_topics_matches_nothing():
    nothing, full = make_run(4, document_topics=[-1] * 11), make_run(8, document_topics=FULL)
    assert [(p.topic, p.other.id) for p in pair_topics(nothing, full)] == [
        *((None, 3), (None, 5), (None, 4)),
    ]
    assert [(p.topic.id, p.other) for p in pair_topics(full, nothing)] == [
        *((3, None), (5, None), (4, None)),
    ]

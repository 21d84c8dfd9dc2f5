from ._bootstrap import bootstrap_coherence
from ._coherence import TopicCoherence, embedding_coherence
from ._diversity import inverted_rbo, topic_balance, topic_diversity
from ._evaluate import TopicEvaluation, agreement, evaluate_topics, tokens_of, topics_of
from ._folding import folded_forms
from ._measures import MEASURES
from ._stability import topic_stability
from ._topic_agreement import (
    FEWEST_REPLICATES,
    TopicAgreement,
    ratio_of_means,
    replicate_ami,
    topic_agreement,
)

__all__ = [
    "FEWEST_REPLICATES",
    "MEASURES",
    "TopicAgreement",
    "TopicCoherence",
    "TopicEvaluation",
    "agreement",
    "bootstrap_coherence",
    "embedding_coherence",
    "evaluate_topics",
    "folded_forms",
    "inverted_rbo",
    "ratio_of_means",
    "replicate_ami",
    "tokens_of",
    "topic_agreement",
    "topic_balance",
    "topic_diversity",
    "topic_stability",
    "topics_of",
]

"""A comparison -> what the report says of it in words, and what its terms mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bertopic_matryoshka.comparison import MANY_OUTLIERS, SHARE, SMALLEST_MATCH, TOPICS_RATIO
from bertopic_matryoshka.evaluation import MEASURES
from bertopic_matryoshka.report._data import count, listed, measured, seeds_of, sweeps_of

if TYPE_CHECKING:
    from bertopic_matryoshka.comparison import DimensionComparison, Run
    from bertopic_matryoshka.report._data import Sweep

MEASURES_IN_WORDS = {
    "c_v": "C_V of Röder et al. 2015, as gensim computes it. Each word of a topic has a vector of "
    "its normalised pointwise mutual information (NPMI) with the words of the topic; coherence is "
    "the mean cosine between these vectors and their sum. In [-1, 1], mostly in [0, 1]",
    "c_npmi": "Normalised pointwise mutual information (NPMI) of Aletras and Stevenson 2013, as "
    "gensim and OCTIS compute it: how much more often than by chance two words of a topic occur "
    "together. Mean over pairs of words. In [-1, 1], 0 by chance",
    "c_uci": "Pointwise mutual information of Newman et al. 2010, as gensim computes it: the "
    "logarithm of how much more often than by chance two words of a topic occur together. Mean "
    "over pairs of words. Unbounded, 0 by chance",
    "u_mass": "UMass coherence of Mimno et al. 2011, as gensim computes it: the logarithm of the "
    "probability of a word given one that precedes it in the topic. Mean over pairs of words. At "
    "most about 0",
    "npmi": "Normalised pointwise mutual information (NPMI) of Bouma 2009, exact at its limits: "
    "how much more often than by chance two words of a topic occur in the same document. Mean over "
    "pairs of words. From -1, never together, to 1, only together; 0 by chance",
}


class Definition(NamedTuple):
    """A term, what it means, and the column of the measured table that it is about."""

    term: str
    text: str
    column: str


DEFINITIONS = (
    Definition(
        "Topic agreement",
        "AMI of the topics with those at the widest embeddings, each fitted to another sample of "
        f"{SHARE:.0%} of the documents with another seed, divided by the AMI of the topics at the "
        "widest with each other, found in the same way. In brackets the lower 95% bound, for these "
        "documents. Outliers count as one more topic; the answer also asks for the agreement "
        "without them. Higher is better; it may be above 100%.",
        "topic_agreement",
    ),
    Definition(
        "Topics that survive",
        "Topics at the widest embeddings of which more than half of the documents are in one topic "
        "that consists mostly of them.",
        "topic_agreement",
    ),
    Definition(
        "Neighbours kept",
        "Share of a document's nearest neighbours by cosine at full width (ten, if there are "
        "enough documents) that are among its nearest at a width. Trustworthiness penalises each "
        "new neighbour by its rank at full width (Venna and Kaski 2001). Similarities are compared "
        "by rank over all pairs of a sample. Up to 1, higher is better.",
        "neighbors_kept",
    ),
    Definition(
        "AMI, ARI, V-measure",
        "Adjusted mutual information, adjusted Rand index and V-measure with the given labels. "
        "Outliers count as one more topic. Up to 1, higher is better; AMI and ARI are 0 by chance.",
        "ami",
    ),
    Definition(
        "Outliers",
        "Share of documents in no topic. From 0 to 1, lower is better.",
        "outlier_share",
    ),
    Definition(
        "Diversity",
        "Share of distinct words among the top words of all topics. Up to 1, higher is better.",
        "diversity",
    ),
    Definition(
        "Inverted RBO",
        "One minus rank-biased overlap: how much the ranked words of two topics differ, mean over "
        "pairs of topics. Up to 1, higher is better.",
        "inverted_rbo",
    ),
    Definition(
        "Balance",
        "How evenly documents are spread over topics: the entropy of topic sizes, divided by its "
        "maximum. Up to 1; neither end is better as such.",
        "balance",
    ),
    Definition(
        "Seeds",
        "How alike the topics of two seeds are, mean over pairs of seeds: by their ranked words "
        "(average Jaccard of topics matched one to one, Greene et al. 2014), and by their "
        "documents (AMI). Up to 1, higher is better.",
        "seed_stability",
    ),
    Definition(
        "Halves",
        "How alike the topics of two halves of the documents are by their ranked words. Up to 1, "
        "higher is better.",
        "half_stability",
    ),
)


def notes(comparison: DimensionComparison) -> list[str]:
    """Say what limits a reading of the results; empty where nothing was noticed."""
    sweeps = sweeps_of(comparison)
    runs = [run for sweep in sweeps for run in _runs(sweep)]
    counts = [run.n_topics for run in runs if run.n_topics]
    sentences = []
    if counts and max(counts) > TOPICS_RATIO * min(counts):
        sentences.append(
            f"The models have {min(counts)} to {max(counts)} topics, and that number alone moves "
            "coherence, diversity and AMI. Compare them at equal numbers of topics."
        )
    rows = measured(comparison).to_dict("records")
    worst = max(rows, key=lambda row: row["outlier_share"])
    if worst["outlier_share"] > MANY_OUTLIERS:
        sentences.append(
            f"{worst['topic_model']} leaves {worst['outlier_share']:.0%} of the documents without "
            f"a topic at {worst['dim']} dimensions. Coherence describes the others alone."
        )
    if len(seeds_of(comparison)) == 1:
        sentences.append("Each model was fitted once, so variation between seeds is not known.")
    elsewhere = sum(run.machine != comparison.machine for run in comparison.runs)
    if elsewhere:
        sentences.append(
            f"{elsewhere} of {len(comparison.runs)} runs were computed on another machine; their "
            "seconds are left out."
        )
    return sentences


def compared(comparison: DimensionComparison) -> str:
    """Say what was compared: documents, embeddings with their widths, topic models and seeds."""
    sweeps = sweeps_of(comparison)
    widths: dict[str, dict[int, None]] = {}
    full_dims: dict[str, int] = {}
    for sweep in sweeps:
        widths.setdefault(sweep.embeddings, {}).update(dict.fromkeys(sweep.runs))
        full_dims[sweep.embeddings] = comparison.embedding_models[sweep.embedding_model].full_dim
    embeddings = [
        f"{name} at {listed(map(str, sorted(dims, reverse=True)))} of {full_dims[name]} dimensions"
        for name, dims in widths.items()
    ]
    n_seeds = len(seeds_of(comparison))
    titles = {
        is_control: [sweep.title for sweep in sweeps if sweep.is_control == is_control]
        for is_control in (False, True)
    }
    return (
        f"{count(comparison.n_documents, 'document')}, {count(n_seeds, 'seed')}. "
        f"Embeddings: {'; '.join(embeddings)}. Topics: {'; '.join(titles[False])}."
        + (f" Controls: {'; '.join(titles[True])}." if titles[True] else "")
    )


def definitions(comparison: DimensionComparison, *, has_map: bool) -> dict[str, str]:
    """Define the terms that the report shows, and only those."""
    present = measured(comparison)
    terms = {
        "Coherence": _coherence(comparison.measure),
        "Standard error": _error(comparison),
        **{of.term: of.text for of in DEFINITIONS if of.column in present},
        "Seconds": "Wall clock of a fit with the first seed: reduction, clustering, and words, "
        "which is the rest of BERTopic's fit. A graph of neighbours that several fits share is "
        "built, and timed, in the first of them. Lower is better.",
        "Embeddings": "Size of the documents' embeddings at a width, in float32.",
        "Counterpart": "Topics of two fits are matched one to one, so that all pairs together "
        "share the most documents. The share of a pair is the documents in both of those in "
        f"either; below {SMALLEST_MATCH:.0%} topics are no counterparts.",
    }
    if has_map:
        terms["Maps"] = (
            "t-SNE's objective (van der Maaten and Hinton 2008) on the graph of the ten nearest "
            "documents by cosine, before any reduction. The first map starts from principal "
            "components and the second from the first, so that documents which stay together stay "
            "in place."
        )
    if any(sweep.is_control for sweep in sweeps_of(comparison)):
        terms["Controls"] = (
            "Random dimensions, drawn by the seed, in place of the first ones, or another "
            "embedding model. If a control does as well, the order of the dimensions, or the "
            "model, does not matter here."
        )
    return terms


def provenance(comparison: DimensionComparison) -> dict[str, str]:
    """List seeds, embedding models and versions."""
    seeds = seeds_of(comparison)
    entries = {
        "seed" if len(seeds) == 1 else "seeds": ", ".join(map(str, seeds)),
        "coherence measure": comparison.measure,
        "bootstrap": f"{_n_resamples(comparison)} resamples of the documents",
    }
    numbers = {replicate.setting.seed for replicate in comparison.replicates}
    if numbers:
        entries["replicates"] = f"{len(numbers)}, each of {SHARE:.0%} of the documents"
    for name, model in comparison.embedding_models.items():
        encoded = "embeddings were given, so encoding was not timed"
        if model.encode_seconds is not None:
            n_documents = count(comparison.n_documents, "document")
            encoded = f"{n_documents} encoded once, at full width, in {model.encode_seconds:,.2f} s"
        known_as = next(s.embeddings for s in sweeps_of(comparison) if s.embedding_model == name)
        entries[f"embeddings: {known_as}"] = f"{model.full_dim} dimensions; {encoded}"
    if comparison.umap_compile_seconds is not None:
        entries["UMAP's first fit"] = (
            f"{comparison.umap_compile_seconds:,.2f} s, mostly compilation; in no other figure"
        )
    return {**entries, **comparison.provenance}


def topic_models(comparison: DimensionComparison) -> dict[str, str]:
    """Say what each topic model is made of."""
    return {
        name: ", ".join(
            filter(
                None,
                [
                    condition.reducer or condition.reduction,
                    condition.clusterer or condition.clustering,
                    f"embeddings: {sweep.embeddings}",
                    "its dimensions permuted by the seed" if sweep.is_permuted else "",
                ],
            )
        )
        for sweep, (name, condition) in zip(
            sweeps_of(comparison), comparison.conditions.items(), strict=True
        )
    }


def _coherence(measure: str) -> str:
    window = MEASURES[measure].window_size
    where = "whole documents" if window is None else f"sliding windows of {window} tokens"
    return (
        f"{MEASURES_IN_WORDS[measure]}; higher is better. Words are counted in {where}; mean over "
        "topics."
    )


def _error(comparison: DimensionComparison) -> str:
    fits = (
        "between seeds, pooled over the widths of a topic model"
        if len(seeds_of(comparison)) > 1
        else "between topics, in place of other seeds"
    )
    return (
        f"Standard error of the mean coherence: variation between {_n_resamples(comparison)} "
        f"bootstrap resamples of the documents, topics held fixed, and variation {fits}. Widths "
        "within each other's errors are not separated by these data, which is no evidence that "
        "they are equal."
    )


def _n_resamples(comparison: DimensionComparison) -> int:
    return len(comparison.runs[0].coherence_resamples)


def _runs(sweep: Sweep) -> list[Run]:
    return [run for runs in sweep.runs.values() for run in runs]

"""What the report's words and figures mean, and what computed them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from bertopic_matryoshka.comparison import SMALLEST_MATCH
from bertopic_matryoshka.evaluation import MEASURES
from bertopic_matryoshka.report._sentences import controls_of, count, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertopic_matryoshka.comparison import DimensionComparison

MEASURES_IN_WORDS = {
    "c_v": "C_V of Röder et al. 2015, as gensim computes it: a word of a topic has a vector of its "
    "normalised pointwise mutual information (NPMI) with each word of the topic; the mean over the "
    "words of the cosine between this vector and the sum of all. In [-1, 1], mostly in [0, 1]",
    "c_npmi": "Normalised pointwise mutual information (NPMI) of Aletras and Stevenson 2013, as "
    "gensim and OCTIS compute it: how much more often than by chance two words of a topic meet. "
    "Mean over pairs of words. In [-1, 1], 0 by chance",
    "c_uci": "Pointwise mutual information of Newman et al. 2010, as gensim computes it: the "
    "logarithm of how much more often than by chance two words of a topic meet. Mean over pairs of "
    "words. Without bounds, 0 by chance",
    "u_mass": "UMass coherence of Mimno et al. 2011, as gensim computes it: the logarithm of the "
    "probability of a word where one before it in the topic is. Mean over pairs of words. At most "
    "about 0",
    "npmi": "Normalised pointwise mutual information (NPMI) of Bouma 2009, exact at its limits: "
    "how much more often than by chance two words of a topic share a document. Mean over pairs of "
    "words. From -1, never together, to 1, only together; 0 by chance",
}

REDUCTIONS_IN_WORDS = {
    "variance": "DimensionSelector: the dimensions that vary most, or all but the near-zero ones.",
    "pca": "scikit-learn's PCA, to 5 dimensions unless told otherwise.",
    "umap": "UMAP as BERTopic sets it up, to 5 dimensions unless told otherwise.",
    "none": "The embeddings are clustered as they are.",
}


class Definition(NamedTuple):
    """A term, what it means, and the column of the summary that it is about."""

    term: str
    text: str
    column: str


OF_COLUMNS = (
    Definition(
        "Outliers",
        "Share of documents in no topic. From 0 to 1, lower is better.",
        "outlier_share",
    ),
    Definition(
        "AMI, ARI, V",
        "Adjusted mutual information, adjusted Rand index and V-measure against the given labels, "
        "outliers being a class of their own. Up to 1, higher is better; AMI and ARI are 0 by "
        "chance.",
        "ami",
    ),
    Definition(
        "Diversity",
        "Share of distinct words among the first words of all topics. Up to 1, higher is better.",
        "diversity",
    ),
    Definition(
        "Inverted RBO",
        "How much the ranked words of two topics differ, mean over pairs of topics: one minus "
        "rank-biased overlap. Up to 1, higher is better.",
        "inverted_rbo",
    ),
    Definition(
        "Balance",
        "How evenly the topics share the documents: the entropy of their sizes, of the largest "
        "possible. Up to 1; neither end is better as such.",
        "balance",
    ),
    Definition(
        "Neighbours kept",
        "Share of a document's nearest neighbours by cosine at full width (ten, where there are "
        "documents enough) that are among its nearest at a width. Trustworthiness takes off for "
        "each new neighbour by how far away it was (Venna and Kaski 2001), and similarities are "
        "correlated by rank over all pairs of a sample. Up to 1, higher is better.",
        "neighbors_kept",
    ),
    Definition(
        "Two seeds",
        "How alike the topics of two seeds are, mean over pairs of seeds: by their ranked words "
        "(average Jaccard of topics matched one to one, Greene et al. 2014), and by their "
        "documents (AMI). Up to 1, higher is better.",
        "seed_stability",
    ),
    Definition(
        "Two halves",
        "How alike the topics of two halves of the documents are by their ranked words. Up to 1, "
        "higher is better.",
        "half_stability",
    ),
)


def definitions(comparison: DimensionComparison, *, has_map: bool) -> str:
    """Define what the report shows, and only that."""
    measured = comparison.summary.dropna(axis="columns", how="all")
    said = {
        "Width to keep": "The smallest one whose coherence is not significantly worse than the "
        "best of the same line: differences on the same samples of the documents, tested "
        "one-sided at 5 % with Holm's correction for the number of widths.",
        "Coherence": _coherence(comparison.measure),
        "Error of coherence": _error(comparison),
        **{of.term: of.text for of in OF_COLUMNS if of.column in measured},
        "Memory": "Of the documents' embeddings at a width, in float32.",
        "Seconds": "Wall clock, lower is better, mean over seeds. To represent is all of a fit by "
        "BERTopic that is neither reduction nor clustering; to measure is no part of a fit. Where "
        "several seeds share a graph of neighbours, it is built for the first of them alone.",
        "Shared": "Documents in both topics, of those in either. Topics are matched one to one so "
        "that all pairs together share the most documents; below "
        f"{SMALLEST_MATCH:.0%} shared they are no counterparts.",
    }
    if has_map:
        said["Maps"] = (
            "t-SNE (van der Maaten and Hinton 2008) of the embeddings themselves by cosine, before "
            "any reduction. The map of the widest embeddings starts from principal components and "
            "that of the width to keep from the wider one: what stays together stays in its place."
        )
    if controls_of(comparison):
        said["Controls"] = (
            "What the first line is held against: random dimensions, drawn by the seed, in place "
            "of the first ones, or another model. Where a control does as well, it is not the "
            "order of the dimensions, or the model, that matters."
        )
    return _list(said)


def reductions(comparison: DimensionComparison) -> str:
    """Say what each line's models are made of."""
    said = {}
    for name in decide(comparison):
        line = comparison.lines[name]
        text = REDUCTIONS_IN_WORDS[line.reduction]
        if line.criterion not in {"", "variance"}:
            text += f" Ranked by {line.criterion} instead of variance."
        said[name] = f"{text} Topics by {line.clustering}."
    return _list(said)


def made_with(comparison: DimensionComparison) -> str:
    """List seeds, models and versions."""
    seeds = dict.fromkeys(str(cell.spec.seed) for cell in comparison.cells)
    n_samples = len(comparison.cells[0].coherence_samples)
    said = {
        "seed" if len(seeds) == 1 else "seeds": ", ".join(seeds),
        "measure": comparison.measure,
        "bootstrap": f"{n_samples} samples of the documents",
    }
    for name, model in comparison.models.items():
        taken = model.encode_seconds
        encoded = "embeddings were given, so that encoding is not timed"
        if taken is not None:
            n_documents = count(comparison.n_documents, "document")
            encoded = f"{n_documents} encoded once, at full width, in {taken:,.2f} s"
        control = ", a control" if model.is_control else ""
        said[f"model {name}"] = f"{model.full_dim} dimensions{control}; {encoded}"
    if comparison.umap_compile_seconds is not None:
        said["UMAP's first fit"] = (
            f"{comparison.umap_compile_seconds:,.2f} s, mostly to compile; in no other figure"
        )
    return _list({**said, **comparison.made_with})


def _coherence(measure: str) -> str:
    window = MEASURES[measure].window_size
    where = "whole documents" if window is None else f"sliding windows of {window} tokens"
    return (
        f"{MEASURES_IN_WORDS[measure]}; higher is better. Counted in {where}, over the first words "
        "of each topic; mean over topics."
    )


def _error(comparison: DimensionComparison) -> str:
    n_samples = len(comparison.cells[0].coherence_samples)
    seeds = {cell.spec.seed for cell in comparison.cells}
    fits = (
        "how it varies between seeds at all widths of a line"
        if len(seeds) > 1
        else "how it varies between topics, which stands in for seeds where there is one"
    )
    return (
        f"The standard error of the mean: how coherence varies between {n_samples} bootstrap "
        f"samples of the documents, the topics being what they are, and {fits}."
    )


def _list(words: Mapping[str, str]) -> str:
    items = (f"<dt>{escape(term)}</dt><dd>{escape(said)}</dd>" for term, said in words.items())
    return f"<dl>{''.join(items)}</dl>"

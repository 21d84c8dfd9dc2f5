"""Batches of rows -> clusters that keep their numbers, and new ones beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka._validation import check_at_least, validated
from bertopic_matryoshka.clustering._advice import report_batch
from bertopic_matryoshka.clustering._membership import membership, shares
from bertopic_matryoshka.clustering._novelty import join_or_found
from bertopic_matryoshka.clustering._ordering import count_clusters, row_order
from bertopic_matryoshka.clustering._parameters import smallest_cluster
from bertopic_matryoshka.clustering._partition import at_resolution, fine_division
from bertopic_matryoshka.clustering._smoothing import add_lone_parts
from bertopic_matryoshka.clustering._supervision import class_of_copies
from bertopic_matryoshka.clustering._tree_clusters import TreeClusters
from bertopic_matryoshka.embedding import unit_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

CHANGES = ("new", "kept", "split", "merged", "moved")
"""Kinds of changes, see topic_changes_."""

COLUMNS = ("batch", "change", "old", "new", "n_samples")

REPORTED = 0.05
"""Share of a cluster's rows that go to another from which `recluster` reports it."""


class OnlineClusters(TreeClusters):
    """The methods of LeidenClustering for rows that come in batches."""

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Add a batch of rows to the clusters.

        The first batch is fitted, see :meth:`fit`. Later rows get the cluster of most of their
        neighbours, among the rows that are kept and each other. Where hardly any row in a part of
        the tree is known, new clusters are made, with numbers above those there are. Rows that fit
        nowhere wait until there are enough of them for a cluster: `waiting_` marks them, and only
        their labels may change later. All others stay until :meth:`recluster` is called.

        Afterwards `labels_` and the other attributes of shape (n_samples,) are those of the batch,
        as in scikit-learn's MiniBatchKMeans. :meth:`predict` tells the label of any row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        self : LeidenClustering

        Raises
        ------
        ValueError
            If a row is not finite or of another width; if the batch has no fewer rows than
            `max_samples`; or if `outlier_share` is above 0 or `neighbors` a graph, neither of which
            batches can have.

        Notes
        -----
        The distinct rows of all batches are kept, at most `max_samples` of them: then each cluster
        keeps the same share, chosen at random, but at least `min_cluster_size`, and rows that wait
        stay. Memory and seconds of a batch are about those of a fit to the rows that are kept and
        the batch. A part of the tree is new if known rows are less than half as frequent in it as
        in the smallest part around it that has at least half of the rows of a cluster, and so few
        would have a probability below 1e-4 if they were spread at random.
        """
        _check_online(self)
        if not hasattr(self, "_fit_rows"):
            _check_batch(len(np.asarray(X)), self.max_samples)
            return self.fit(X)
        _check_goes_on(self)
        batch = unit_rows(validated(self, X, reset=False))
        before = dict(self.__dict__)
        try:
            return self._continue(batch)
        except BaseException:  # as if the batch had not come; the arrays are replaced, not changed
            self.__dict__.update(before)
            raise

    def recluster(self, n_clusters: int | None = None) -> pd.DataFrame:
        """Cluster the rows that are kept anew, and keep the numbers of clusters that are alike.

        A new cluster has the number of the old one with which it shares most rows, if no other has
        more: the pairs are those of the largest sum. Other new clusters have new numbers, and
        numbers of clusters that are gone are not given again. Afterwards `labels_` has the new
        labels of the last batch, and :meth:`predict` those of earlier rows.

        Parameters
        ----------
        n_clusters : int or None, default=None
            Number of clusters. None is the parameter `n_clusters` or, if that is None too, the
            number with the largest modularity.

        Returns
        -------
        changes : DataFrame
            What became of each cluster, as rows of `topic_changes_`.

        Raises
        ------
        TypeError, ValueError
            If `n_clusters` is not an int, below 1, or more than the rows can make; or if
            `outlier_share` is above 0.
        """
        check_is_fitted(self)
        _check_goes_on(self)
        _check_no_share(self)
        wanted = self.n_clusters if n_clusters is None else n_clusters
        graph = self._graph()
        divider = self._divider(graph)
        division, _ = fine_division(divider)
        if wanted is None:
            found = at_resolution(divider, division, float(self.resolution))
        else:
            check_at_least(wanted, 1, name="n_clusters")
            found = self._in_number(divider, division, wanted)
        found = add_lone_parts(graph, found, self._min_size, self._counts)
        old, counts = self._fit_labels, self._counts
        self._keep_division(division)
        self._forget_scale()
        self._waiting = np.zeros(counts.size, dtype=bool)
        names = matched_names(old, found, counts, self.n_clusters_)
        new = np.append(names, -1)[found]
        changes = flows(old, new, counts, self.n_clusters_, REPORTED)
        self._tell(changes)
        self.n_clusters_ = max(self.n_clusters_, count_clusters(new))
        self._set_labels(graph, new)
        table: pd.DataFrame = self.topic_changes_.tail(len(changes)).reset_index(drop=True)
        return table

    @property
    def topic_changes_(self) -> pd.DataFrame:
        """Changes of the clusters since the fit, by batch.

        Columns: "batch", from 0; "change"; "old" and "new", numbers of clusters, -1 for none; and
        "n_samples", the rows that changed, copies counted, among those that are kept. A change is
        "new", rows of the batch, or rows that waited in an old cluster, that have made a new one;
        "moved", rows that waited in one cluster and are now in another; and from :meth:`recluster`
        "kept", "split" into a cluster that is new, "merged", where the old cluster is gone, or
        "moved".
        """
        check_is_fitted(self)
        table: pd.DataFrame = pd.DataFrame(
            self._changes.reshape(-1, len(COLUMNS)), columns=list(COLUMNS)
        )
        table["change"] = [CHANGES[code] for code in table["change"]]
        return table

    def _continue(self, batch: NDArray[np.floating]) -> Self:
        """Put a batch of unit rows beside those that are kept."""
        _check_batch(len(batch), self.max_samples)
        kept = self._chosen(len(batch))
        n_kept, n_before = kept.size, self._fit_labels.size
        copy_rows, copy_groups = self._copy_rows, self._copy_groups
        rows = np.concatenate([self._fit_rows[kept], batch.astype(self._fit_rows.dtype)])
        old = np.concatenate([self._fit_labels[kept], np.full(len(batch), -1)])
        occurs = np.concatenate([self._counts[kept], np.ones(len(batch), dtype=np.int64)])
        settled = np.concatenate([~self._waiting[kept], np.zeros(len(batch), dtype=bool)])
        order = row_order(rows)
        order = order[rows[order].any(axis=1)]
        graph, group_of = self._distinct_graph(rows, order)
        n_distinct = graph.shape[0]
        group = np.full(len(rows), -1)
        group[order] = group_of
        self._counts = np.bincount(group_of, occurs[order], minlength=n_distinct).astype(np.int64)
        self._group = group[n_kept:]
        moved = np.full(n_before, -1)  # place among the distinct rows, of those before
        moved[kept] = group[:n_kept]
        stays = moved[copy_groups] >= 0
        self._copy_rows = np.concatenate([self._copy_rows, copy_rows[stays]])
        self._copy_groups = np.concatenate([self._copy_groups, moved[copy_groups[stays]]])
        self._indptr, self._indices = graph.indptr, graph.indices
        self._min_size = smallest_cluster(self.min_cluster_size, n_distinct)
        self._describe_copies()
        division, _ = fine_division(self._divider(graph))
        self._keep_division(division)
        self._forget_scale()
        known = class_of_copies(np.where(settled, old, -1)[order], group_of, n_distinct)
        n_known = self.n_clusters_
        if (known < 0).all():
            labels = at_resolution(self._divider(graph), division, float(self.resolution))
            self._waiting = np.zeros(n_distinct, dtype=bool)
        else:
            labels, self._waiting = join_or_found(graph, division, known, n_known, self._min_size)
        self.n_clusters_ = max(n_known, count_clusters(labels))
        self._n_batches += 1
        self.n_samples_seen_ += len(batch)
        before = class_of_copies(old[order], group_of, n_distinct)
        self._tell(
            [
                ("new" if b >= n_known else "moved", a, b, size)
                for _, a, b, size in flows(before, labels, self._counts, n_known, 0)
                if a != b and (a >= 0 or b >= n_known)
            ]
        )
        self._set_labels(graph, labels)
        report_batch(
            self._n_batches - 1,
            len(batch),
            self.n_clusters_ - n_known,
            int(np.count_nonzero(self.waiting_)),
        )
        return self

    def _chosen(self, n_batch: int) -> NDArray[np.int_]:
        """Choose the rows that are kept beside a batch, ascending."""
        labels, most = np.where(self._waiting, -1, self._fit_labels), self.max_samples
        if most is None or labels.size + n_batch <= most:
            return np.arange(labels.size)
        rng = np.random.default_rng([self._seed, self.n_samples_seen_])
        return thinned(labels, most - n_batch, self._min_size, rng)

    def _describe_copies(self) -> None:
        """Tell which rows of the batch repeat others of it, or rows of earlier batches."""
        group = self._group
        first = np.full(self._counts.size, -1)
        joined = np.flatnonzero(group >= 0)
        first[group[joined[::-1]]] = joined[::-1]
        self.copy_of_ = np.arange(group.size)
        self.copy_of_[joined] = first[group[joined]]
        self.n_copies_ = int(np.count_nonzero(self.copy_of_ != np.arange(group.size)))

    def _set_labels(self, graph: Any, labels: NDArray[np.int_]) -> None:
        """Set the labels of the rows that are kept, and labels and probabilities of the batch."""
        strength = membership(graph, labels)
        labels = np.where(strength >= self.min_membership, labels, -1)
        self._fit_labels = labels
        self.labels_ = self._of_rows(labels)
        probabilities = np.where(labels >= 0, strength, 0.0)
        if self.calculate_probabilities:
            probabilities = shares(graph, labels, self.n_clusters_)
        none = np.zeros((1, *probabilities.shape[1:]))
        self.probabilities_ = np.concatenate([probabilities, none])[self._group]
        self.waiting_ = np.append(self._waiting, False)[self._group]
        self._reset_index()

    def _tell(self, changes: list[tuple[str, int, int, int]]) -> None:
        """Add changes to the table."""
        batch = self._n_batches - 1
        added = [
            (batch, CHANGES.index(kind), old, new, size) for kind, old, new, size in changes if size
        ]
        rows = np.array(added, dtype=np.int64).reshape(-1, len(COLUMNS))
        self._changes = np.concatenate([self._changes.reshape(-1, len(COLUMNS)), rows])


def thinned(
    labels: NDArray[np.int_], n_kept: int, min_cluster_size: int, rng: np.random.Generator
) -> NDArray[np.int_]:
    """Choose rows at random, the same share of each cluster.

    Rows of label -1, and `min_cluster_size` of each cluster, are chosen first.

    Returns
    -------
    kept : ndarray of shape (n_kept,), int
        Ascending.
    """
    order = rng.permutation(labels.size)
    order = order[np.argsort(labels[order], kind="stable")]
    _, first, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(labels.size) - np.repeat(first, sizes)
    share = (place + 1) / np.repeat(sizes, sizes)
    share[(place < min_cluster_size) | (labels[order] < 0)] = 0
    return np.sort(order[np.argsort(share, kind="stable")[:n_kept]])


def matched_names(
    old: NDArray[np.int_], new: NDArray[np.int_], counts: NDArray[np.int_], n_old: int
) -> NDArray[np.int_]:
    """Give clusters the numbers of those with which they share most rows, or new ones.

    Parameters
    ----------
    old, new : ndarray of shape (n,), int
        -1 is no cluster.
    counts : ndarray of shape (n,), int
        Number of times that each row occurs.
    n_old : int
        First new number.

    Returns
    -------
    names : ndarray of shape (n_new,), int
    """
    n_new = count_clusters(new)
    shared = np.zeros((n_old, n_new))
    both = (old >= 0) & (new >= 0)
    np.add.at(shared, (old[both], new[both]), counts[both])
    names = np.full(n_new, -1)
    for a, b in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        if shared[a, b] > 0:
            names[b] = a
    sizes = np.bincount(new[new >= 0], counts[new >= 0], minlength=n_new)
    alone = np.flatnonzero(names < 0)
    alone = alone[np.argsort(-sizes[alone], kind="stable")]
    names[alone] = n_old + np.arange(alone.size)
    return names


def flows(
    old: NDArray[np.int_],
    new: NDArray[np.int_],
    counts: NDArray[np.int_],
    n_old: int,
    reported: float,
) -> list[tuple[str, int, int, int]]:
    """List where the rows of each cluster went, unless they are less than a share of it."""
    pairs, cell = np.unique(np.stack([old, new]), axis=1, return_inverse=True)
    sizes = np.bincount(cell, counts)
    whole = np.bincount(old + 1, counts, minlength=n_old + 1)
    left = set(new.tolist())
    found = []
    for (a, b), size in zip(pairs.T.tolist(), sizes.astype(int).tolist(), strict=True):
        if a == b:
            kind = "kept"
        elif a >= 0 and a not in left:
            kind = "merged"
        elif b >= n_old:
            kind = "new" if a < 0 else "split"
        else:
            kind = "moved"
        if (a >= 0 or b >= 0) and (kind in {"kept", "new"} or size >= reported * whole[a + 1]):
            found.append((kind, a, b, size))
    return found


def _check_batch(n_batch: int, max_samples: int | None) -> None:
    if max_samples is None:
        return
    check_at_least(max_samples, 2, name="max_samples")
    if n_batch >= max_samples:
        raise ValueError(
            f"A batch of {n_batch:,} rows leaves no room for others in max_samples="
            f"{max_samples:,}. Pass smaller batches, or raise it."
        )


def _check_goes_on(clustering: Any) -> None:
    if not hasattr(clustering, "_waiting"):
        raise NotFittedError(
            "This LeidenClustering was fitted and saved by an earlier version, and cannot be "
            "continued. Fit it again."
        )


def _check_no_share(clustering: Any) -> None:
    if clustering.outlier_share > 0:
        raise ValueError(
            f"outlier_share={clustering.outlier_share} is a share of all rows, which are not known "
            "in partial_fit and recluster. Use min_membership, or set it to 0."
        )


def _check_online(clustering: Any) -> None:
    _check_no_share(clustering)
    if issparse(clustering.neighbors):
        raise ValueError(
            "neighbors is a graph of the rows of one fit, and partial_fit gets others. Pass a "
            "transformer, or leave it out."
        )

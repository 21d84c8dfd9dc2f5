"""Selected embeddings -> clusters: communities of the nearest-neighbour graph, by Leiden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.clustering._online import OnlineClusters

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class LeidenClustering(OnlineClusters):
    """Clusters of the cosine nearest-neighbour graph: Leiden communities, merged into a tree.

    Takes HDBSCAN's place in BERTopic: ``BERTopic(umap_model=DimensionSelector(),
    hdbscan_model=LeidenClustering())``. It needs no UMAP before it, makes few outliers by default
    (see `outlier_share`), and gives the same rows the same labels in any order.

    Parameters
    ----------
    n_clusters : int or None, default=None
        Number of clusters to find, >= 1. None takes the number with the largest modularity at
        `resolution`. :meth:`labels_at` gives any other number after fitting.
    resolution : float, default=1.0
        Resolution of modularity, > 0; a larger value gives more clusters. It is relative to what
        chance gives in a graph of these degrees, so that it needs no tuning for the number of rows.
        Ignored if `n_clusters` is given.
    n_neighbors : int or None, default=None
        Number of neighbours of each row in the graph, >= 1. None is 15, or the square root of the
        number of distinct rows where there are fewer than 225.
    min_cluster_size : int or None, default=None
        Minimum number of core rows of a cluster, >= 2, copies counted once. A core row has at least
        half of its neighbours in its own cluster. The rows of smaller clusters go to the clusters
        of their neighbours. With `n_clusters` a cluster needs as many rows, one of them core; if
        fewer than `n_clusters` qualify, none of them. None is 10, or two thirds of the square root
        of the number of distinct rows where there are fewer than 225.
    min_membership : float, default=0.0
        Minimum share, in [0, 1], of a row's neighbours in its own cluster; rows below it become
        outliers. At 0 the only outliers are zero rows, and rows in connected parts of the graph
        with fewer than `min_cluster_size` rows, copies counted.
    outlier_share : float, default=0.0
        Share of the rows, in [0, 1), that become outliers, copies and zero rows counted: the least
        typical ones, see Notes. It excludes `min_membership`. A row that has more copies than are
        still to be chosen is passed over. At 0 none do.
    calculate_probabilities : bool, default=False
        Whether `probabilities_` has a column for each cluster. BERTopic uses `probabilities_`
        unchanged.
    random_state : int, RandomState or None, default=0
        Seed of the Leiden algorithm.
    method : {"auto", "exact", "approximate"}, default="auto"
        Method of the neighbour search, see nearest_neighbors.
    device : str, sequence of str or None, default=None
        Device of the neighbour search, or several that share it, see nearest_neighbors; None takes
        a GPU where there is one.
    flavor : {"graspologic", "cugraph"}, default="graspologic"
        Implementation of Leiden. "graspologic" runs on the CPU and follows the Constant
        Potts Model [2]_. "cugraph" runs on an NVIDIA GPU, with the extra
        ``bertopic-matryoshka[cugraph]``; it follows modularity and so finds other clusters.
    memory : str, joblib.Memory or None, default=None
        Folder in which the graphs are cached: rows clustered before, with another seed or number of
        clusters, need no new neighbour search. None caches nothing.
    copy_distance : float, default=0.025
        Cosine distance up to which a row is a near copy of another, in [0, 0.2), as a share of the
        usual distance to a fifth neighbour; where l rows are near, up to l (at most 5) times as
        much. Copies count once in the graph, see Notes. At 0 only equal rows are copies.
    neighbors : transformer, sparse matrix of shape (n_samples, n_samples), or None, default=None
        Neighbours to use in place of a search. A transformer is one like scikit-learn's
        KNeighborsTransformer, which gives such a matrix: in each row, its neighbours are stored,
        whatever the values. It gets the distinct rows, of unit length, and its own number of
        neighbours counts. None searches, by `method`; so do :meth:`predict` and known classes.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int
        Cluster of each row, 0 for the largest; -1 for outliers. A zero row is an outlier.
    probabilities_ : ndarray of shape (n_samples,), float64, in [0, 1]
        Share of a row's neighbours in its own cluster, 0 for outliers. With
        `calculate_probabilities`, of shape (n_samples, n_clusters_): the share in each cluster, for
        outliers too. Rows that `min_membership` or `outlier_share` makes outliers still count as
        neighbours in the cluster that they would have had.
    n_clusters_ : int
        Number of clusters found; after :meth:`recluster`, with those that are gone.
    children_ : ndarray of shape (n_leaves_ - 1, 2), int
        Nodes that each merge of the tree joins, as in AgglomerativeClustering: nodes below
        `n_leaves_` are leaves, and merge i makes node ``n_leaves_ + i``.
    distances_ : ndarray of shape (n_leaves_ - 1,), float64, in [0, 2]
        Height of each merge, never falling. Up to 1 it is the graph's linkage, as a logarithm; from
        1 Ward's criterion, as a square root. Each is over the largest of its part: the two have no
        common scale.
    n_leaves_ : int
        Number of leaves of the tree, the communities that Leiden finds.
    leaf_labels_ : ndarray of shape (n_samples,), int
        Leaf of each row; -1 for zero rows, and rows in connected parts of the graph with fewer than
        `min_cluster_size`.
    copy_of_ : ndarray of shape (n_samples,), int
        Index of the row that each row repeats; its own where it repeats none.
    n_copies_ : int
        Number of rows that repeat others. The clusters are found on the rest, without zero rows.
    waiting_ : ndarray of shape (n_samples,), bool
        Rows of the last batch that fit nowhere, see :meth:`partial_fit`; none after a fit.
    n_samples_seen_ : int
        Number of rows in the fit and in the batches since.
    n_features_in_ : int
        Number of features seen in fit.

    See Also
    --------
    DimensionSelector : The step before it.

    Notes
    -----
    The graph joins two rows where one is among the `n_neighbors` nearest of the other. Leiden [1]_
    divides it into more communities than there will be clusters: of some 45 rows, by default, and
    at most some 4,000. With "graspologic" it maximises the Constant Potts Model [2]_: the edges
    within communities minus ``gamma`` for each pair of rows in them. Where that would be larger
    communities, above 180,000 rows by default, it sees the edges to the nearer half of each row's
    neighbours only: that takes half the time and memory, and the topics are as good, see
    docs/measurements/time.md.

    The communities are the leaves of a tree. They merge by the linkage of the graph down to 15
    clusters, and from there by Ward's criterion on their centroids, which is better at few clusters
    and worse at many. With `y` the linkage of the graph goes to the top. A number of clusters is a
    cut of the tree. Leaves then move to the cluster with the nearest centroid, as in k-means, and
    rows to the cluster of most of their neighbours, by label propagation. The tree is nested,
    and the labels at two numbers are so except for leaves and rows that moved: strictly nested
    labels agree less with known classes, see docs/no-umap.md. If the tree has too few leaves for a
    number, a finer division is made. Leiden alone gives clusters of even size; merging lets large
    topics be large and small ones stand apart.

    Without `n_clusters` the number is the one with the largest modularity [3]_, and clusters
    without a core dissolve.

    Rows that repeat others, such as reposts, signatures and templates, would be one another's
    neighbours and make topics of their own. Equal rows and near copies therefore count once. Near
    copies are found in the neighbour search (see `bertopic_matryoshka.neighbors`, and
    docs/measurements/copies.md for how the distance was chosen). A copy has the label and the
    probabilities of the row that it repeats. Clusters are ordered by their size with copies. With
    `y`, a group of copies has the class that most of them have. Rows of fewer than 16 features have
    no near copies: in few dimensions different rows are as close.

    `outlier_share` leaves out rows by two ranks. The share of a row's neighbours in its own
    cluster, averaged five times over each row's neighbours, counts twice; the cosine with its
    cluster's centroid counts once. With the average, regions between clusters go, rather than
    single rows at every border. Each cluster keeps its best `min_cluster_size` rows, or as many as
    the share leaves room for. New rows are scored beside those of the fit: :meth:`predict` makes
    outliers of those below a score that this share of the fit's rows did not exceed. See
    docs/measurements/outliers.md for other scores.

    :meth:`partial_fit` adds batches of rows: new rows join clusters or make new ones, and labels
    that were given stay, until :meth:`recluster` is called. See docs/streams.md for what a stream
    gives beside one fit.

    References
    ----------
    .. [1] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing
       well-connected communities", Scientific Reports 9, 2019.
    .. [2] V. A. Traag, P. Van Dooren, Y. Nesterov, "Narrow scope for resolution-limit-free
       community detection", Physical Review E 84, 2011.
    .. [3] J. Reichardt, S. Bornholdt, "Statistical mechanics of community detection", Physical
       Review E 74, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import LeidenClustering
    >>> X = np.repeat([[1.0, 0.0], [0.0, 1.0]], 20, axis=0)
    >>> X = X + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    >>> clustering = LeidenClustering(n_clusters=2).fit(X)
    >>> np.bincount(clustering.labels_)
    array([20, 20])
    """

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        resolution: float = 1.0,
        n_neighbors: int | None = None,
        min_cluster_size: int | None = None,
        min_membership: float = 0.0,
        outlier_share: float = 0.0,
        calculate_probabilities: bool = False,
        random_state: int | np.random.RandomState | None = 0,
        method: str = "auto",
        device: str | Sequence[str] | None = None,
        flavor: str = "graspologic",
        memory: Any = None,
        copy_distance: float = 0.025,
        neighbors: Any = None,
        max_samples: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.resolution = resolution
        self.n_neighbors = n_neighbors
        self.min_cluster_size = min_cluster_size
        self.min_membership = min_membership
        self.outlier_share = outlier_share
        self.calculate_probabilities = calculate_probabilities
        self.random_state = random_state
        self.method = method
        self.device = device
        self.flavor = flavor
        self.memory = memory
        self.copy_distance = copy_distance
        self.neighbors = neighbors
        self.max_samples = max_samples

"""A clusterer whose fits are counted, in a module that a second process can import too."""

from sklearn.cluster import KMeans

FITS = []


class CountedKMeans(KMeans):
    """Tells FITS how many rows it is fitted to."""

    def fit(self, X, y=None, sample_weight=None):
        FITS.append(len(X))
        return super().fit(X)

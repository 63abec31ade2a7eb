"""Cluster vectors by k-means on mini-batches (Sculley 2010); scikit-learn has its home here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_SEED, _BATCH, _STARTS = 20261127, 2048, 3


def centroids(vectors: Vectors, count: int) -> Vectors:
    """Return the centroids of `count` clusters, shape (count, dimension), of length one, the same on every call.

    `vectors` have shape (papers, dimension) and length one.
    """
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(n_clusters=count, random_state=_SEED, batch_size=_BATCH, n_init=_STARTS)
    model.fit(vectors)
    centers: Vectors = model.cluster_centers_.astype(np.float32)
    centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), np.float32(1e-9))
    return centers


def nearest(vectors: Vectors, centers: Vectors) -> list[int]:
    """Return for each vector the position of the centroid with the greatest cosine."""
    rows: list[int] = (vectors @ centers.T).argmax(axis=1).tolist()
    return rows

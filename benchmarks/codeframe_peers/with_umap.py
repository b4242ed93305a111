"""UMAP to five dimensions, then k-means with the true number of codes: what BERTopic does when it is given k-means."""

from typing import Any

from protocol import Survey, serve
from sklearn.cluster import KMeans
from umap import UMAP


def group(survey: Survey) -> Any:
    reduced = UMAP(n_components=5, n_neighbors=15, min_dist=0.0, metric="cosine").fit_transform(survey.vectors)
    return KMeans(survey.k, n_init=3, random_state=0).fit_predict(reduced)


if __name__ == "__main__":
    serve(group)

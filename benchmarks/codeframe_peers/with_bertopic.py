"""BERTopic as it comes, given the vectors; it finds the number of topics itself."""

from typing import Any

from bertopic import BERTopic
from protocol import Survey, serve


def group(survey: Survey) -> Any:
    topics, _ = BERTopic().fit_transform(survey.texts, embeddings=survey.vectors)
    return topics


if __name__ == "__main__":
    serve(group)

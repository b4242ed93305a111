"""EVoC as it comes; it finds the number of clusters itself."""

from typing import Any

from evoc import EVoC
from protocol import Survey, serve


def group(survey: Survey) -> Any:
    return EVoC().fit_predict(survey.vectors)


if __name__ == "__main__":
    serve(group)

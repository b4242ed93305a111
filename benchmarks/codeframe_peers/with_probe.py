"""The ceiling: a linear probe, taught four fifths of the human codes and asked for the last fifth, five times."""

import warnings
from typing import Any

import numpy as np
from protocol import Survey, serve
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict


def group(survey: Survey) -> Any:
    labels = np.array(survey.labels)
    coded = np.flatnonzero(labels != "")
    names, codes = np.unique(labels[coded], return_inverse=True)
    folds = StratifiedKFold(min(5, int(np.bincount(codes).max())), shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # codes with fewer answers than folds
        told = cross_val_predict(LogisticRegression(C=10.0, max_iter=300), survey.vectors[coded], codes, cv=folds)
    found = np.full(len(labels), -1)
    found[coded] = told
    survey.figures["k"] = len(names)
    return found


if __name__ == "__main__":
    serve(group)

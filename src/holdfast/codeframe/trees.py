"""Ward trees; scipy is imported when the first one is grown, as it takes a second that most commands need not wait."""

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.values import Floats


def ward_tree(points: npt.NDArray[np.float64]) -> Floats:
    """Ward's linkage of rows, or of a condensed matrix of distances, in scipy's layout; none for fewer than two."""
    from scipy.cluster.hierarchy import ward  # noqa: PLC0415

    return np.asarray(ward(points)) if len(points) else np.zeros((0, 4))


def branches(tree: Floats, k: int) -> npt.NDArray[np.int32]:
    """Each leaf's branch, 0 first, when the tree is cut into at most `k`; finer cuts nest in coarser ones."""
    from scipy.cluster.hierarchy import fcluster  # noqa: PLC0415

    return np.asarray(fcluster(tree, k, "maxclust") - 1, dtype=np.int32)

"""Stage results survive their journey through the database."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.codeframe.packing import pack, unpack

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("xyz"), JSON_VALUES),
    st.lists(st.integers(-1000, 1000)),
    st.sampled_from(["<i4", "<f4", "<f2"]),
)
def test_what_is_packed_comes_back_and_packs_to_the_same_bytes(meta: dict, numbers: list[int], dtype: str) -> None:
    array = np.array(numbers, dtype=dtype).reshape(-1, 1)

    data = pack(meta, {"array": array})
    again_meta, arrays = unpack(data)

    assert again_meta == meta
    assert arrays["array"].dtype == array.dtype
    assert np.array_equal(arrays["array"], array)
    assert pack(again_meta, arrays) == data


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"nope" + d[4:]])
def test_damaged_bytes_are_refused(damage: Callable[[bytes], bytes]) -> None:
    data = pack({"a": 1}, {"array": np.arange(5, dtype=np.int32)})

    with pytest.raises(ValueError, match="packed stage result"):
        unpack(damage(data))

"""Packed candidates, against sets of pairs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertopic_matryoshka.neighbors._packed import best_of, names_in, packed

values = st.floats(width=32, allow_nan=False)
names = st.integers(0, 2**31 - 1)


@settings(deadline=None)
@given(st.lists(st.tuples(names, values), min_size=1, max_size=50))
def test_packed_in_the_order_of_names_and_values(pairs):
    both = packed(torch.tensor([n for n, _ in pairs]), torch.tensor([v for _, v in pairs]))
    assert names_in(both).tolist() == [n for n, _ in pairs]
    # -0.0 is below 0.0, and Python's order has them equal.
    key = [(n, v, np.copysign(1, v) if v == 0 else 0) for n, v in np.array(pairs, "i8,f4").tolist()]
    assert sorted(range(len(key)), key=key.__getitem__) == both.argsort(stable=True).tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-3, 3)), min_size=1, max_size=30))
def test_the_best_of_each_name_once(pairs):
    row = packed(
        torch.tensor([n for n, _ in pairs]), torch.tensor([float(v) for _, v in pairs])
    ).reshape(1, -1)
    largest = {name: max(v for n, v in pairs if n == name) for name, _ in pairs}
    for n in range(1, len(largest) + 1):
        found = names_in(best_of(row, n))[0].tolist()
        assert len(set(found)) == n
        assert sorted(largest[name] for name in found) == sorted(largest.values())[-n:]


def test_what_fills_a_row_up_is_never_among_the_best():
    row = packed(torch.tensor([[7, 3, 3, 3]]), torch.tensor([[-0.9, 0.5, -torch.inf, -torch.inf]]))
    assert sorted(names_in(best_of(row, 2))[0].tolist()) == [3, 7]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_keeps_the_same():
    generator = torch.Generator().manual_seed(0)
    rows = packed(
        torch.randint(0, 40, (50, 60), generator=generator),
        torch.randn(50, 60, generator=generator),
    )
    on_gpu = best_of(rows.cuda(), 9).cpu()
    assert torch.equal(on_gpu.sort(dim=1).values, best_of(rows, 9).sort(dim=1).values)

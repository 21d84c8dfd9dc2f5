"""What tensors torch makes: counted, and as on a device with little memory."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class OneThread(TorchDispatchMode):
    """Sees what torch does in this thread alone, so that torch has no more."""

    def __enter__(self):
        self.threads = torch.get_num_threads()
        torch.set_num_threads(1)
        return super().__enter__()

    def __exit__(self, *error):
        torch.set_num_threads(self.threads)
        return super().__exit__(*error)


class Memory(OneThread):
    """Notes the bytes of each new tensor; memory runs out where one would take more than `most`.

    Tensors that share memory with what they are made from, such as slices, are not new.
    """

    def __init__(self, most=float("inf")):
        super().__init__()
        self.most = most
        self.sizes = []

    @property
    def largest(self):
        return max(self.sizes, default=0)

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        options = options or {}
        made = function(*arguments, **options)
        there = {_place(tensor) for tensor in _tensors((arguments, options))}
        for tensor in _tensors(made):
            if _place(tensor) not in there:
                size = tensor.untyped_storage().nbytes()
                if size > self.most:
                    raise torch.OutOfMemoryError(f"{size} bytes")
                self.sizes.append(size)
        return made


class Alive(OneThread):
    """Notes how many results of one operation are there at the same time, at most."""

    def __init__(self, operation):
        super().__init__()
        self.operation = operation
        self.made = weakref.WeakSet()
        self.most = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        made = function(*arguments, **(options or {}))
        if function is self.operation:
            self.made.add(made)
            self.most = max(self.most, len(self.made))
        return made


def _tensors(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _place(tensor):
    return tensor.untyped_storage().data_ptr()

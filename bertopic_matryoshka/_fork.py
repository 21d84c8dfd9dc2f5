"""A child that was forked after threads had run -> a warning, before it may hang."""

from __future__ import annotations

import os
import warnings

_state = {"threads_ran": False, "is_forked": False}


def about_to_use_threads() -> None:
    """Note that libraries' threads run from here on; warn where this process is a fork of such one.

    OpenMP's and Rayon's threads do not survive a fork, and the child may wait for them for ever.

    Warns
    -----
    RuntimeWarning
        Once in a process, if its parent had called this before the fork.
    """
    if _state["is_forked"]:
        _state["is_forked"] = False
        warnings.warn(
            "This process was forked from one whose threads had run, and may now wait for threads "
            'that it does not have. Use multiprocessing.get_context("spawn"), or fork before the '
            "first embedding or fit.",
            RuntimeWarning,
            stacklevel=3,
        )
    _state["threads_ran"] = True


def _mark_child() -> None:
    _state["is_forked"] = _state["threads_ran"]


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_mark_child)

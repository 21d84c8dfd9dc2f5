"""What is left of a docstring: exact prose."""

import pytest

from bertopic_matryoshka.cli.demo._prose import clean_docstring


@pytest.mark.parametrize(
    ("docstring", "prose"),
    [
        ("Fit the model.\n\nParameters\n----------\nX : array\n", "Fit the model."),
        ("Fit the model.\n\n    Args:\n        x: an array.\n", "Fit the model."),
        ("Fit the model.\n\nExample::\n\n    >>> fit()\n", "Fit the model."),
        ("Fit the model.\n\n:param x: an array\n", "Fit the model."),
        ("Fit it.\n\nsize (`int`, *optional*, defaults to 3):\n    The size.", "Fit it."),
        ("Fit.\n\n>>> fit(x)\n3\n\nThen predict.", "Fit. Then predict."),
        ("Fit.\n\n```python\nfit(x)\n```\nThen predict.", "Fit. Then predict."),
        ("Fit, as in::\n\n    fit(x)\n\nThen predict.", "Fit, as in: Then predict."),
        ("Fit.\n\n.. math::\n\n    x^2\n\nThen predict.", "Fit. Then predict."),
        ("Fit.\n\n.. versionadded:: 1.2\n   More.\n\nThen.", "Fit. Then."),
        ("Fit.\n\n.. note::\n    Scale first.\n\nThen.", "Fit. Scale first. Then."),
        ("Fit.\n\n.. [1] A. Author, a paper.\n", "Fit."),
        ("Fit.\n\n=====  =====\nname   value\n=====  =====\n\nThen.", "Fit. name value Then."),
        ("Fit :class:`~a.b.Model` by :func:`fit`.", "Fit Model by fit."),
        ("Fit :ref:`a model <models>`, see `here <https://x.org>`_.", "Fit a model, see here."),
        ("A norm :math:`\\|x\\|_2` of $x$ is small.", "A norm of is small."),
        ("Take ``x`` or `y_`, ``axis=0`` but not ``x[::2] {a}``.", "Take x or y_, axis=0 but not."),
        ("A *very* **long** `[Model]`, [`Other`].", "A very long [Model], Other."),
        (
            "See [the paper](https://x.org/a_b) at https://x.org/a now [1]_.",
            "See the paper at now.",
        ),
        ("Return {klass} with %(name)s of {expected_type}.", "Return with of."),
        ("<Tip>\n\nScale first.\n\n</Tip>", "Scale first."),
        ("First:\n\n* one\n- two\n1. three\n", "First: one two three"),
        ("zeros(shape, dtype=(a, b))\n--\n\nzeros(shape)\n\nNew zeros.", "New zeros."),
        ("abs(input, *, out=None) -> Tensor\n\nAbsolute values.", "Absolute values."),
        ("`bool`: Whether it is fitted.", "Whether it is fitted."),
        ("Call __init__ of x.__dict__ (``{}``) first.", "Call init of x.dict first."),
        ("", ""),
    ],
)
def test_cleaning_keeps_the_prose(docstring, prose):
    assert clean_docstring(docstring) == prose

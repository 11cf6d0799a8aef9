"""Reading a template: what its lines become, and what is said of one that is malformed."""

import ast

import numpy as np
import pytest

from adjoint.rules import RULES, RuleError, d, lookup, rule
from adjoint.rules.template import Rule


def times(x, y):
    return x * y


def work(x):
    return x


def read(template):
    return Rule(times, template)


def test_kinds_of_lines():
    def template(z, x, y, axis=None):
        """The docstring is no line."""
        d[z, x] = y
        w = x * y
        d[z] = w * d[x] + d[y]
        g = d[z] * w
        d[x] += g
        d[y] -= g + z

    lines = read(template).lines
    assert [line.kind for line in lines] == [
        "partial", "work", "tangent", "work", "cotangent", "cotangent"]  # fmt: skip
    assert [line.target for line in lines] == ["x", "w", "z", "g", "x", "y"]
    assert [line.sign for line in lines] == [1, 1, 1, 1, 1, -1]
    assert [line.mode for line in lines] == [
        "both", "both", "forward", "reverse", "reverse", "reverse"]  # fmt: skip
    assert [line.reads for line in lines] == [{"y"}, {"x", "y"}, {"w"}, {"w"}, {"g"}, {"g", "z"}]
    assert [line.cotangents for line in lines] == [set(), set(), {"x", "y"}, {"z"}, set(), set()]
    assert ast.unparse(lines[2].expr) == "w * d[x] + d[y]"
    first = template.__code__.co_firstlineno
    assert [line.lineno - first for line in lines] == [2, 3, 4, 5, 6, 7]
    assert [line.expr.lineno for line in lines] == [line.lineno for line in lines]


def test_output_and_parameters():
    def template(z, x, axis=None, *, keepdims=False):
        d[z, x] = 1

    found = read(template)
    assert found.output == "z"
    assert [(p.name, p.default) for p in found.params[1:]] == [("axis", None), ("keepdims", False)]
    assert found.differentiable == ("x",)


def test_a_signature_over_several_lines():
    def template(
        z,
        x,
    ):
        d[z, x] = (
            1
        )  # fmt: skip

    assert [line.target for line in read(template).lines] == ["x"]


def no_output(z, x, y):
    d[q, x] = y  # noqa: F821


def reads_unknown(z, x, y):
    d[x] += d[q]  # noqa: F821


def partial_of_output(z, x, y):
    d[z, z] = y


def partial_of_input(z, x, y):
    d[x, y] = y


def assigned_cotangent(z, x, y):
    d[x] = d[z] * y


def added_tangent(z, x, y):
    d[z] += d[x] * y


def cotangent_from_tangent(z, x, y):
    d[x] += d[y]


def tangent_from_cotangent(z, x, y):
    d[z] = d[z] * y


def through_work(z, x, y):
    w = d[x] * y
    d[y] += w


def mixed(z, x, y):
    d[x] += d[z] * d[y]


def partial_reads_d(z, x, y):
    d[z, x] = d[x]


def statement(z, x, y):
    if x > y:
        d[z, x] = y


def returns(z, x, y):
    return d[z]


def twice(z, x, y):
    d[z, x] = y
    d[z, x] = x


def work_twice(z, x, y):
    w = x
    w = y
    d[z, x] = w


def named_d(z, d):
    w = d  # noqa: F841


def bare(z, x, y):
    d[z, x] = d


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (no_output, "q is not a parameter"),
        (reads_unknown, "q is not a parameter"),
        (partial_of_output, "z is not an input"),
        (partial_of_input, "z is the output"),
        (assigned_cotangent, r"d\[x\] \+= e"),
        (added_tangent, r"d\[z\] = e"),
        (cotangent_from_tangent, "not d.* of the inputs"),
        (tangent_from_cotangent, r"not d\[z\]"),
        (through_work, "not d.* of the inputs"),
        (mixed, "not both"),
        (partial_reads_d, "plain number"),
        (statement, "no line of a rule"),
        (returns, "no line of a rule"),
        (twice, "two lines"),
        (work_twice, "second time"),
        (named_d, "may be called d"),
        (bare, "d is read as"),
    ],
)
def test_malformed(template, message):
    with pytest.raises(RuleError, match=message) as e:
        read(template).lines
    origin = e.value.origin
    assert origin.filename == __file__
    assert 0 <= origin.line - template.__code__.co_firstlineno <= 3
    assert origin.function == f"the rule {template.__name__}"
    assert "^" in str(e.value)


def test_no_output():
    with pytest.raises(RuleError, match="first parameter"):
        read(lambda: None)


def test_no_source():
    namespace = {"d": d}
    text = "def template(z, x):\n    d[z, x] = 1"
    exec(compile(text, "<a place that is not kept>", "exec"), namespace)
    with pytest.raises(RuleError, match="source is not available"):
        read(namespace["template"]).lines


def test_d_outside_a_rule():
    with pytest.raises(RuleError, match="inside a rule"):
        d["x"]
    with pytest.raises(RuleError, match="inside a rule"):
        d["z", "x"] = 1


def test_registration_is_in_order():
    def one(x):
        return x

    try:

        @rule(one, when=lambda x: x > 0)
        def above(y, x):
            d[y, x] = 1

        @rule(one)
        def any_other(y, x):
            d[y, x] = 0

        assert [r.function.__name__ for r in lookup(one)] == ["above", "any_other"]
        assert [r.applies({"x": 1}) for r in lookup(one)] == [True, True]
        assert [r.applies({"x": -1}) for r in lookup(one)] == [False, True]
    finally:
        del RULES[one]


def test_late_domains():
    assert lookup(np.fft.fft)
    assert lookup(np.random.normal)
    assert lookup(np.random.Generator.normal)
    assert not lookup(work)

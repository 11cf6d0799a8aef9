"""The table itself: nothing among the rules goes untested, and nothing they call is without one."""

import ast
import importlib
import inspect
import textwrap

import numpy as np
import pytest

from adjoint import rules
from adjoint.rules.template import _LATE
from adjoint.spec import parameters_in

from .cases import CASES
from .direct import choose

for _, module in _LATE:
    importlib.import_module(f"adjoint.rules.{module}")

RULES = [rule for found in rules.RULES.values() for rule in found]
DRAWS = {fn for fn in rules.RULES if "numpy.random" in (getattr(fn, "__module__", "") or "")}

# Too coarse for differences; np.float64 has the same rule.
ROUNDED = {np.float16, np.float32, np.complex64}

DEFAULT_ONLY = {
    (np.linalg.qr, "mode"),
    (np.linalg.vector_norm, "ord"),
    (np.linalg.matrix_norm, "ord"),
}


def used():
    """Each rule that a case reaches, with the arguments it is given there."""
    rng = np.random.default_rng(1)
    for case in CASES:
        yield choose(case, rules.lookup(case.fn), case.args(rng))


def test_every_rule_has_a_case():
    reached = {rule for rule, _ in used()}
    # complex operands and the second of two functions with one template count for the template
    functions = {rule.function for rule in reached}
    elsewhere = DRAWS | set(rules.WRITTEN_OUT)  # the latter: tests/nn/test_sequences.py
    assert [r for r in RULES if r.function not in functions and r.fn not in elsewhere] == []
    called = {rule.fn for rule in reached} | elsewhere | ROUNDED
    assert [fn for fn in rules.RULES if fn not in called] == []


def test_every_option_is_given_in_a_case():
    missing = {
        (rule.fn, p.name)
        for rule in RULES
        for p in rule.params
        if p.default is not p.empty and rule.fn not in DRAWS
    }
    for rule, arguments in used():
        for p in rule.params:
            if p.default is p.empty or not np.array_equal(arguments[p.name], p.default):
                missing.discard((rule.fn, p.name))
    missing -= DEFAULT_ONLY
    assert sorted((fn.__name__, name) for fn, name in missing) == []


def test_every_template_can_be_read():
    for rule in RULES:
        assert rule.lines, rule
        assert rule.differentiable, rule


def every_kind(a, b=1, /, c=2, *rest, d, e=3, **others):
    inside = a
    return inside


def test_parameters_are_those_of_the_signature():
    for function in [rule.function for rule in RULES] + [every_kind]:
        expected = list(inspect.signature(function).parameters.values())
        assert parameters_in(function) == expected


def test_both_modes_are_there():
    for rule in RULES:
        kinds = {line.kind for line in rule.lines}
        targets = {line.target for line in rule.lines if line.kind == "partial"}
        if rule.fn in rules.WRITTEN_OUT:  # it serves gradients alone
            assert kinds == {"cotangent", "work"}, rule
        elif "cotangent" in kinds or "tangent" in kinds:
            assert {"cotangent", "tangent"} <= kinds, rule
        else:
            assert targets == set(rule.differentiable), rule


def calls(tree, namespace):
    """The callables that a piece of source calls by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if isinstance(node.func, ast.Name) or name.startswith(("np.", "math.")):
                yield eval(name, namespace)


def opened(fn, seen):
    """fn, or what it calls where it is an inline helper."""
    if fn in seen:
        return
    seen.add(fn)
    if hasattr(fn, "__adjoint_static__"):
        return
    if hasattr(fn, "__adjoint_inline__"):
        tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
        tree.body[0].decorator_list = []
        for inner in calls(tree, fn.__globals__ | vars(__import__("builtins"))):
            yield from opened(inner, seen)
    else:
        yield fn


CLOSED = [rule for rule in RULES if rule.fn not in rules.WRITTEN_OUT]


@pytest.mark.parametrize("rule", CLOSED, ids=lambda rule: rule.function.__name__)
def test_what_a_rule_calls_has_a_rule(rule):
    namespace = rule.function.__globals__ | vars(__import__("builtins"))
    for line in rule.lines:
        for fn in calls(line.expr, namespace):
            for called in opened(fn, set()):
                known = rules.lookup(called) or rules.is_zero(called)
                assert known, f"{called} has no rule, in {line}"


def test_nothing_is_declared_twice():
    assert not rules.ZERO & set(rules.RULES)
    assert not set(rules.REFUSED) & (rules.ZERO | set(rules.RULES))


def test_methods_and_attributes_are_known():
    for fn in [*rules.METHODS.values(), *rules.ATTRIBUTES.values()]:
        assert rules.lookup(fn) or rules.is_zero(fn) or rules.refusal(fn), fn
    for name in [*rules.METHODS, *rules.ATTRIBUTES]:
        if name != "mT":
            assert hasattr(np.ndarray, name)
    assert set(rules.METHODS) >= rules.VARARG_METHODS

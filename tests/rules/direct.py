"""Runs a rule's lines on real arrays, without the compiler: for testing the mathematics."""

import ast
import inspect

import numpy as np


def choose(case, rules, args):
    """The first rule whose parameters take the case's arguments and whose `when` holds."""
    for rule in rules:
        signature = inspect.Signature(rule.params)
        # `when` sees numbers that vary with a rank and a dtype, and literals as they are
        seen = [np.asarray(a) if isinstance(a, float) else a for a in args]
        try:
            shown = bind(signature, *case.bound(seen))
        except TypeError:
            continue
        if rule.applies(shown):
            return rule, bind(signature, *case.bound(args))
    raise LookupError(f"no rule of {rules} applies")


def bind(signature, positional, keywords):
    bound = signature.bind(*positional, **keywords)
    bound.apply_defaults()
    return bound.arguments


def tangents(case, rule, args, i, t):
    """The tangents by input name where only operand i moves, along t; options have none."""
    flat = [zeros(a) for a in args]
    flat[i] = t
    signature = inspect.Signature(rule.params)
    moving = bind(signature, *case.bound(flat, literal=lambda value: None))
    return {n: v for n, v in moving.items() if n in rule.differentiable and v is not None}


def varying(case, rule):
    """The inputs that hold an active operand."""
    flags = bind(
        inspect.Signature(rule.params),
        *case.bound([leaf.active for leaf in case.leaves], literal=lambda value: False),
    )
    return {n for n in rule.differentiable if _any(flags[n])}


def _any(flag):
    return any(map(_any, flag)) if nested(flag) else flag is True


class Run:
    """The lines of one rule with its inputs and its output."""

    def __init__(self, rule, inputs, output, active):
        self.rule, self.active = rule, active
        self.names = {**rule.function.__globals__, **inputs, rule.output: output}
        self.inputs, self.output = inputs, output
        closure = inspect.getclosurevars(rule.function).nonlocals
        self.names.update(closure)
        self.raw = []  # every result before it is fitted

    def evaluate(self, line):
        tree = ast.fix_missing_locations(ast.Expression(_Plain().visit(_copy(line.expr))))
        return eval(compile(tree, self.rule.filename, "eval"), self.names)

    def forward(self, tangents):
        """The output's tangent, from those of the inputs by name; zeros where none is given."""
        for name in self.rule.differentiable:
            self.names["d_" + name] = tangents.get(name, zeros(self.inputs[name]))
        total = zeros(self.output)
        given = any(line.kind == "tangent" for line in self.rule.lines)
        for line in self.rule.lines:
            if line.mode == "reverse":
                continue
            if line.kind == "work":
                self.names[line.target] = self.evaluate(line)
            elif line.kind == "tangent":
                total = self.evaluate(line)
                self.raw.append(total)
            elif line.kind == "partial" and not given and line.target in self.active:
                e = self.evaluate(line)
                if not is_zero(e):
                    total = total + e * self.names["d_" + line.target]
        return like(total, self.output)

    def reverse(self, cotangent):
        """The inputs' cotangents by name."""
        self.names["d_" + self.rule.output] = cotangent
        found = {name: zeros(self.inputs[name]) for name in self.active}
        for line in self.rule.lines:
            if line.mode == "forward" or line.kind == "tangent":
                continue
            if line.kind != "work" and line.target not in self.active:
                continue
            e = self.evaluate(line)
            if line.kind == "work":
                self.names[line.target] = e
                continue
            if line.kind == "partial":
                if is_zero(e):
                    continue
                e = e * cotangent
            self.raw.append(e)
            found[line.target] = add(
                found[line.target], fit(e, self.inputs[line.target]), line.sign
            )
        return found


class _Plain(ast.NodeTransformer):
    """d[x] as the variable d_x."""

    def visit_Subscript(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == "d":
            return ast.Name("d_" + node.slice.id, ast.Load())
        return self.generic_visit(node)


def _copy(expr):
    return ast.parse(ast.unparse(expr), mode="eval").body


def is_zero(e):
    """Whether a partial is the literal 0, which is no array of zeros."""
    return isinstance(e, int) and e == 0


def nested(x):
    return isinstance(x, (list, tuple))


def zeros(x):
    """A tangent or cotangent of x that is 0."""
    if nested(x):
        return [zeros(e) for e in x]
    if not isinstance(x, (np.ndarray, np.generic)):
        return 0.0
    return np.zeros(x.shape, x.dtype if x.dtype.kind in "fc" else float)


def add(x, y, sign=1):
    if nested(x):
        assert len(x) == len(y), (len(x), len(y))
        return [add(a, b, sign) for a, b in zip(x, y)]
    return x + sign * y


def like(t, z):
    """A tangent broadcast to its output, whose structure it has to have."""
    if nested(z):
        assert len(t) == len(z)
        return [like(a, b) for a, b in zip(t, z)]
    return np.broadcast_to(t, np.shape(z))


def fit(e, x):
    """A contribution as the engine fits it to its target: broadcast axes summed, real part."""
    if nested(x):
        assert nested(e) and len(e) == len(x)
        return [fit(a, b) for a, b in zip(e, x)]
    e, shape = np.asarray(e), np.shape(x)
    assert np.broadcast_shapes(e.shape, shape) == e.shape, (e.shape, shape)
    extra = e.ndim - len(shape)
    e = e.sum(axis=tuple(range(extra)))
    e = e.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 != e.shape[i]), keepdims=True)
    return e if np.iscomplexobj(x) else np.real(e)


def inner(x, y):
    """The real part of sum(x * y), of structures alike."""
    if nested(x):
        return sum(inner(a, b) for a, b in zip(x, y))
    return float(np.real(np.sum(np.asarray(x) * np.asarray(y))))

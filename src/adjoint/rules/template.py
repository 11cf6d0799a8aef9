"""Rules as templates: how a derivative is declared, registered and read.

A rule is a function whose body is never run. Its first parameter is the output of a callable, the
others are the callable's parameters, and the left-hand side of each line says what the line is:

    d[z, x] = e     partial of z with respect to x, element by element: serves both modes
    d[z] = e        tangent of the output, from the tangents d[x] of the inputs: forward
    d[x] += e       contribution to the cotangent of an input, from d[z]: reverse (also -=)
    w = e           work that several lines share

A tangent line, where there is one, is the whole tangent: partials then serve only reverse mode.
`d[z, x] = 0` says that the derivative by x is zero; an input that no line mentions is an option,
and no derivative by it is known. A sequence input `xs` has a sequence `d[xs]`.
Broadcasting and dtypes are fitted by the compiler, so a rule is only its mathematics.
"""

import ast
import importlib
import linecache
from functools import cached_property

from ..definition import definitions
from ..errors import Origin, RuleError
from ..same_code import is_source_of
from ..spec import parameters_in


class _Derivatives:
    """The `d` of templates. It stands for tangents and cotangents and holds nothing itself."""

    __slots__ = ()

    def __repr__(self):
        return "d"

    def _outside(self, *_):
        raise RuleError("d[...] has a meaning only inside a rule, whose body is read and never run")

    __getitem__ = __setitem__ = _outside


d = _Derivatives()

# What is imported on first use: a callable's module, and a module here that has its rules.
_LATE = (
    ("math", "scalar_math"),
    ("numpy.linalg", "linalg"),
    ("numpy.linalg", "norms"),
    ("numpy.fft", "fft"),
    ("numpy.random", "random"),
    ("adjoint.nn.functional.activations", "networks"),
    ("adjoint.nn.functional.labels", "networks"),
    ("adjoint.nn.functional.normalisation", "networks"),
    ("adjoint.nn.masks", "networks"),
    ("adjoint.nn.random", "networks"),
    ("adjoint.nn.functional.cells", "cells"),
    ("adjoint.nn.functional.sequences", "cells"),
    ("adjoint.nn.functional.convolution", "convolution"),
    ("adjoint.nn.functional.pooling", "convolution"),
    ("adjoint.nn.functional.fused", "convolution"),
)
_imported: set = set()


def import_late(fn):
    """Import the rules that a callable may have in a module not yet imported."""
    module = getattr(getattr(fn, "__objclass__", fn), "__module__", None) or ""
    for start, ours in _LATE:
        if module.startswith(start) and ours not in _imported:
            importlib.import_module(f"{__package__}.{ours}")  # waits for a thread that is at it
            _imported.add(ours)


class _Rules(dict):
    """Rules by callable, complete for whichever callable is asked for."""

    def __contains__(self, fn):
        import_late(fn)
        return super().__contains__(fn)

    def __getitem__(self, fn):
        import_late(fn)
        return super().__getitem__(fn)

    def get(self, fn, default=None):
        import_late(fn)
        return super().get(fn, default)


RULES: dict = _Rules()  # callable -> its rules, in order of registration
WRITTEN_OUT: dict = {}  # callable whose rules serve gradients alone -> the same, as source
ZERO: set = set()  # callables whose result has no derivative by nature
REFUSED: dict = {}  # callable -> why its derivative is refused, and what to do instead


class Line:
    """One statement of a template.

    kind        "partial", "tangent", "cotangent" or "work"
    target      the input that a partial or a cotangent is for; the output for a tangent; the name
                that work is given
    expr        the right-hand side, an ast expression with line numbers of the file
    sign        -1 for `d[x] -= e`, else +1
    reads       the template's own names that the right-hand side reads by value
    cotangents  the names that it reads as d[name]
    mode        "forward", "reverse" or "both": who can need this line
    """

    __slots__ = ("kind", "target", "expr", "sign", "lineno", "reads", "cotangents", "mode")

    def __init__(self, kind, target, expr, sign, lineno, reads, cotangents, mode):
        self.kind, self.target, self.expr, self.sign = kind, target, expr, sign
        self.lineno, self.reads, self.cotangents, self.mode = lineno, reads, cotangents, mode

    def __repr__(self):
        return f"<{self.kind} of {self.target}, line {self.lineno}: {ast.unparse(self.expr)}>"


class Rule:
    """One template for one callable. `own`: a user gave it."""

    own = False

    def __init__(self, fn, function, when=None, broadcasts=True):
        self.fn, self.function, self.when, self.broadcasts = fn, function, when, broadcasts
        code = function.__code__
        if not code.co_argcount:
            where = Origin(code.co_filename, code.co_firstlineno, 0, 0, function.__name__)
            raise RuleError(
                "the first parameter of a rule is the output of the function, and this one has "
                "none", where, "Write `def my_rule(z, x):` for a function of `x`.",
            )  # fmt: skip
        self.output = code.co_varnames[0]
        self.filename, self.firstlineno = code.co_filename, code.co_firstlineno

    def __repr__(self):
        name = getattr(self.fn, "__name__", self.fn)
        return f"<rule {self.function.__name__} for {name}, {self.filename}:{self.firstlineno}>"

    @cached_property
    def params(self):
        """The input parameters in order, as inspect.Parameter."""
        return parameters_in(self.function)[1:]

    @cached_property
    def when_params(self):
        """The names that `when` asks for."""
        if self.when is None:
            return ()
        return self.when.__code__.co_varnames[: self.when.__code__.co_argcount]

    def applies(self, arguments):
        """Whether `when` holds. arguments: a value or an abstract type by input name."""
        return self.when is None or bool(self.when(*[arguments[n] for n in self.when_params]))

    @cached_property
    def lines(self):
        """The statements, read from the source on first use."""
        return _Reader(self).lines()

    @cached_property
    def differentiable(self):
        """The inputs that have a derivative (perhaps zero); the others are options."""
        targets = {line.target for line in self.lines if line.kind in ("partial", "cotangent")}
        return tuple(p.name for p in self.params if p.name in targets)


def rule(*fns, when=None, broadcasts=True, written_out=None):
    """Register the decorated template for each of the callables.

    A callable may have several templates: they are tried in order, and the first whose `when` holds
    is used. `when` is called with the inputs that it names: arrays, or anything with their `ndim`,
    `shape` and `dtype`, lists of those, and plain option values.

    broadcasts: False says that contributions always have the shapes of their operands, also where
    types do not show it: sizes in a product of matrices are equal without being known to be.

    written_out: a Python function with the same results, for a rule that serves gradients alone.
    Tangents, and gradients that are differentiated again, are those of its source.
    """

    def register(function):
        if written_out is not None:
            WRITTEN_OUT.update(dict.fromkeys(fns, written_out))
        made = [Rule(fn, function, when, broadcasts) for fn in fns]
        for one in made:
            RULES.setdefault(one.fn, []).append(one)
        return made[0] if made else function

    return register


def zero_derivative(*fns):
    """Declare that the result does not vary, infinitesimally, with any argument."""
    ZERO.update(fns)


def not_differentiable(fn, why):
    """Declare that the derivative is refused. `why` says so, and what to write instead."""
    REFUSED[fn] = why


def named(module, *names):
    """Those of the module's functions that this version of it has."""
    return [getattr(module, name) for name in names if hasattr(module, name)]


_NO_SOURCE = (
    "its source is not available, and a rule is read from its source",
    "Define it in a file or a notebook, or write it as a function that is run:\n"
    "@ad.adjoint_of(f)\n"
    "def f_adjoint(z, d_z, x):\n"
    "    return ...  # the cotangent of x",
)


class _Reader:
    """Reads one template."""

    def __init__(self, rule):
        self.rule = rule
        self.inputs = [p.name for p in rule.params]
        self.names = {rule.output, *self.inputs}
        self.work = {}  # name of work -> its mode
        self.once = set()

    def error(self, node, message, advice=None):
        if advice is None:
            z, x = self.rule.output, next(iter(self.inputs), "x")
            advice = (
                f"A line is one of   d[{z}, {x}] = partial   d[{x}] += contribution from d[{z}]\n"
                f"                   d[{z}] = tangent from d[{x}]   w = what several lines share"
            )
        line = getattr(node, "lineno", self.rule.firstlineno)
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
        if getattr(node, "end_lineno", line) != line:
            end = 0
        name = f"the rule {self.rule.function.__name__}"
        raise RuleError(message, Origin(self.rule.filename, line, start, end, name), advice)

    def lines(self):
        if "d" in self.names:
            self.error(None, "no parameter may be called d, which stands for derivatives", "")
        found = []
        for statement in self.definition().body:
            if isinstance(statement, ast.Pass) or (
                isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
            ):
                continue
            found.append(self.line(statement))
        return found

    def definition(self):
        """The template's own ast.FunctionDef."""
        function, own = self.rule.function, self.rule.own
        lines = linecache.getlines(self.rule.filename)
        if len(lines) < self.rule.firstlineno:
            self.error(None, *_NO_SOURCE)
        for node in definitions(lines, self.rule.firstlineno, function.__name__):
            if own and not is_source_of(node, function.__code__, function.__qualname__):
                self.error(None, *_NO_SOURCE)
            return _PlainD(function).visit(node) if own else node
        if self.rule.filename.startswith("<"):  # the name of several texts, such as <string>
            self.error(None, *_NO_SOURCE)
        self.error(
            None, "its definition was not found in its source (is it a lambda?)",
            "Write it as `def my_rule(z, x):`.",
        )  # fmt: skip

    def line(self, node):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, sign, adds = node.targets[0], 1, False
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            target, sign, adds = node.target, -1 if isinstance(node.op, ast.Sub) else 1, True
        else:
            self.error(node, "this is no line of a rule, whose body is read and never run")
        reads, derivatives, mode = self.operands(node.value)
        if isinstance(target, ast.Name):
            kind, name = self.of_work(node, target, adds, mode)
        elif is_derivative(target):
            kind, name = self.of_derivative(node, target, adds, mode)
            mode = {"partial": "both", "tangent": "forward", "cotangent": "reverse"}[kind]
        else:
            self.error(node, "a line assigns to d[...] or to a plain name")
        return Line(kind, name, node.value, sign, node.lineno, reads, derivatives, mode)

    def of_work(self, node, target, adds, mode):
        if adds or target.id in self.names or target.id in self.work or target.id == "d":
            self.error(node, f"{target.id} is assigned a second time")
        self.work[target.id] = mode
        return "work", target.id

    def of_derivative(self, node, target, adds, mode):
        output = self.rule.output
        names = [self.name_of(e) for e in _elements(target)]
        if len(names) == 2 and not adds:
            kind, name = "partial", names[1]
            if names[0] != output:
                self.error(node, f"a partial is d[{output}, x]: {output} is the output")
            if name not in self.inputs:
                self.error(node, f"{name} is not an input")
            if mode != "both":
                self.error(node, "a partial is a plain number: it reads no d[...]")
        elif len(names) == 1 and names[0] == output:
            kind, name = "tangent", output
            if adds:
                self.error(node, f"{output} is the output: its tangent is d[{output}] = e")
            if mode == "reverse":
                self.error(node, f"a tangent reads d[...] of the inputs, not d[{output}]")
        elif len(names) == 1 and names[0] in self.inputs:
            kind, name = "cotangent", names[0]
            if not adds:
                self.error(node, f"{name} is an input: it is given contributions, d[{name}] += e")
            if mode == "forward":
                self.error(node, f"a cotangent reads d[{output}], not d[...] of the inputs")
        else:
            self.error(node, f"d[{', '.join(names)}] names no derivative of this rule")
        if not adds:
            if (kind, name) in self.once:
                self.error(node, f"there are two lines for the {kind} of {name}")
            self.once.add((kind, name))
        return kind, name

    def name_of(self, node):
        if not isinstance(node, ast.Name):
            self.error(node, "d[...] takes the names of the rule's parameters")
        if node.id not in self.names:
            self.error(node, f"d[{node.id}]: {node.id} is not a parameter of the rule")
        return node.id

    def operands(self, expr):
        """The names that an expression reads, those that it reads as d[name], and its mode."""
        reads, derivatives = set(), set()
        stack = [expr]
        while stack:
            node = stack.pop()
            if is_derivative(node):
                if len(_elements(node)) != 1:
                    self.error(node, "a partial can be given, and not read")
                derivatives.add(self.name_of(node.slice))
                continue
            if isinstance(node, ast.Name):
                if node.id == "d":
                    self.error(node, "d is read as d[name]")
                if node.id in self.names or node.id in self.work:
                    reads.add(node.id)
            stack.extend(ast.iter_child_nodes(node))
        modes = {"reverse" if n == self.rule.output else "forward" for n in derivatives}
        modes |= {self.work[n] for n in reads if n in self.work} - {"both"}
        if len(modes) > 1:
            self.error(expr, "a line reads tangents or cotangents, not both")
        return frozenset(reads), frozenset(derivatives), modes.pop() if modes else "both"


class _PlainD(ast.NodeTransformer):
    """Writes `ad.d[x]`, with d reached through a module, as `d[x]`."""

    def __init__(self, function):
        free = zip(function.__code__.co_freevars, function.__closure__ or ())
        self.cells, self.globals = dict(free), function.__globals__

    def visit_Attribute(self, node):
        if node.attr == "d" and isinstance(node.value, ast.Name):
            name = node.value.id
            try:
                cell = self.cells.get(name)
                module = self.globals.get(name) if cell is None else cell.cell_contents
            except ValueError:  # not yet assigned
                module = None
            if getattr(module, "d", None) is d:
                return ast.copy_location(ast.Name("d", node.ctx), node)
        return self.generic_visit(node)


def is_derivative(node):
    base = node.value if isinstance(node, ast.Subscript) else None
    return isinstance(base, ast.Name) and base.id == "d"


def _elements(node):
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]

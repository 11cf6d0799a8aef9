"""Errors: what is refused, and that the message says where, what, and what to do instead."""

import bdb
import contextlib
import inspect
import linecache
import re
import sys
import traceback

import numpy as np
import pytest
from support import elsewhere

import adjoint as ad
from adjoint.errors import Origin, show_location

external = np.ones(3)


def line_of(fn, mark="# here"):
    """The number and text of the line of a function that carries a mark."""
    lines, start = inspect.getsourcelines(fn)
    for offset, line in enumerate(lines):
        if mark in line:
            return start + offset, line.strip()
    raise AssertionError(f"{fn.__name__} has no line marked {mark}")


def check_message(error, fn, fragments, filename=__file__):
    """A message names the file, the line, the function and the user's code, with a caret."""
    message = str(error)
    number, text = line_of(fn)
    first, *rest = message.splitlines()
    assert first.startswith(f"{filename}:{number}, in {fn.__name__}: "), message
    assert rest[0] == f"    {number} | {text}", message
    assert re.fullmatch(r"    +\| +\^+", rest[1]), message
    for fragment in fragments:
        assert fragment in message, message


refused = []


def case(*args, raises=ad.UnsupportedSyntaxError, says=(), argnums=0):
    def add(fn):
        refused.append((fn, args, raises, says, argnums))
        return fn

    return add


# -- syntax -------------------------------------------------------------------------------------


@case(2.0, says=["`try`", "Move the `try` out"])
def try_statement(x):
    try:  # here
        return x * x
    except ValueError:
        return x


@case(2.0, says=["`with`", "swallow errors", "Let `__exit__` return None"])
def with_statement(x):
    with contextlib.suppress(ValueError):  # here
        y = x * x
    return y


@case(2.0, says=["class", "Define the class outside"])
def class_statement(x):
    class Local:  # here
        pass

    return x * x if Local else x


@case(np.ones(3), says=["attribute"])
def attribute_assignment(x):
    x.shape = (3, 1)  # here
    return np.sum(x)


class Box:
    value = 3.0


box = Box()


@case(2.0, says=["a set"])
def set_display(x):
    s = {x, 2.0}  # here
    return max(s)


@case(2.0, says=["read before it has a value", "`y`"])
def no_value_yet(x):
    z = y * x  # noqa: F821  # here
    y = x * x
    return y * z


@case(2.0, says=["read before it has a value", "`external`"])
def local_hides_a_global(x):
    z = np.sum(external) * x  # noqa: F823  # here
    external = z  # noqa: F841
    return z


@case(2.0, says=["read before it has a value", "`y`"])
def value_was_deleted(x):
    y = x * x
    del y
    return y * 2  # noqa: F821  # here


@case(2.0, says=["the name `undefined_name` is not defined"])
def name_not_defined(x):
    return x * undefined_name  # noqa: F821  # here


@case(np.ones(4), says=["2 values", "3 names"])
def unpacking_of_a_wrong_length(x):
    a, b, c = x[0], x[1]  # here
    return a * b * c


@case(2.0, says=["misses the argument `b`"])
def call_without_an_argument(x):
    return two_of(x)  # here


@case(2.0, says=["no argument `c`"])
def call_with_an_unknown_keyword(x):
    return two_of(x, b=x, c=2.0)  # here


@case(2.0, says=["too many arguments"])
def call_with_too_many_arguments(x):
    return two_of(x, x, x)  # here


@case(2.0, says=["two values for `a`"])
def call_with_an_argument_twice(x):
    return two_of(x, a=x)  # here


def two_of(a, b):
    return a * b


@case(2.0, says=["computed keys"])
def dict_with_computed_keys(x):
    d = {x: x * 2}  # here
    return d[x]


@case(np.ones(3), says=["`resize` changes the array in place"])
def array_resize(x):
    y = x * 2
    y.resize(2)  # here
    return y[0]


@case(np.ones(3), says=["`np.multiply.at` is not supported", "Write a loop"])
def multiply_at(x):
    y = x * 2
    np.multiply.at(y, [0, 0], x[1])  # here
    return np.sum(y)


@case(np.ones(6), says=["`numpy.put` repeats its values"])
def put_repeats_its_values(x):
    y = x * 2
    np.put(y, [0, 1, 2, 3], x[:2])  # here
    return np.sum(y)


@case(np.ones(3), says=["an array that varies is changed", "rng.permutation"])
def array_is_shuffled(x):
    y = x * 2
    np.random.default_rng(0).shuffle(y)  # here
    return y[0]


@case(np.ones(3), says=["`external`, which lives outside the function"])
def external_array_changed(x):
    external[0] = x[0]  # here
    return np.sum(external * x)


@case(2.0, says=["which function `f` is depends on a branch", "own branch"])
def function_by_branch(x):
    if x > 1:
        f = np.sin
    else:
        f = np.cos
    return f(x)


function_by_branch.marked = "if x > 1:"


@case(np.ones(3), says=["a function is put into a list", "[f, g]"])
def function_appended_to_a_list(x):
    fs = []
    fs.append(lambda v: v * x[0])  # here
    return fs[0](2.0)


@case(np.ones(3), says=["an array of Python objects"])
def array_of_objects(x):
    y = np.array([x[0], None], dtype=object)  # here
    return y[0] * 2


@case(np.ones(3), says=["this test changes an array", "`while True`"])
def while_test_with_an_effect(x):
    y = x * 2

    def shrink():
        y[0] = y[0] * 0.5
        return y[0]

    while shrink() > 1:  # here
        pass
    return np.sum(y)


while_test_with_an_effect.marked = "while shrink"


# -- aliasing -----------------------------------------------------------------------------------


@case(np.ones(4), says=["a store into an array of rank 0"])
def view_of_rank_0_is_changed(x):
    y = x * 2
    first = y[..., 0]
    first[...] = 3.0  # here
    return np.sum(y)


@case(np.ones((2, 2)), raises=ad.AliasingError, says=["`y` may share memory"])
def maybe_a_view_is_changed(x):
    y = x * 2
    flat = y.reshape(4)
    flat[0] = 3.0
    return np.sum(y)  # here


@case(np.ones(4), raises=ad.AliasingError, says=["`y` may share memory"])
def what_may_be_the_operand_itself_is_changed(x):
    y = x * 2
    z = y.conj()
    z[0] = 3.0
    return np.sum(y)  # here


@case(np.ones(4), raises=ad.AliasingError, says=["`a` may share memory"])
def part_of_a_split_array_that_changed(x):
    y = x * 2
    a, b = np.split(y, 2)
    y[0] = 3.0
    return np.sum(a * b)  # here


@case(np.ones(4), raises=ad.AliasingError, says=["may share memory", "Take a copy"])
def array_of_an_earlier_iteration_is_changed(x):
    kept = []
    a = x * 1.0
    for _ in range(3):
        a[0] = a[0] * 2
        a = a * 2
        kept.append(a)
    total = 0.0
    for a in kept:
        total = total + np.sum(a)
    return total


@case(np.ones(4), raises=ad.AliasingError, says=["may share memory"])
def swapped_buffer_has_another_name(x):
    a, b = x * 1.0, np.zeros(4)
    first = a
    for k in range(3):
        b[k] = a[0] * a[k + 1]
        a, b = b, a
    return np.sum(a * x) + np.sum(first)


array_of_an_earlier_iteration_is_changed.marked = None
swapped_buffer_has_another_name.marked = None


@case(np.ones(3), 1.0, raises=ad.AliasingError, says=["`x`", "may share memory"])
def alias_by_a_branch_is_changed(x, k):
    y = x if k > 0 else x * 2
    y += k
    return np.sum(x * y)  # here


@case([np.ones(3), np.ones(3)], 1, raises=ad.AliasingError, says=["may share memory"])
def element_at_an_unknown_index_is_changed(xs, i):
    y = xs[i]
    y += 1.0
    return np.sum(xs[0] * xs[1])  # here


# -- derivatives --------------------------------------------------------------------------------


@case(2.0, raises=ad.NoDerivativeError, says=["a text of `y`", "stop_gradient", "np.round"])
def float_of_a_text(x):
    y = x * 2
    return float(f"{y:.3f}")  # here


@case(np.eye(2), raises=ad.NoDerivativeError, says=["numpy.linalg.eig", "eigh"])
def refused_function(x):
    return np.sum(np.linalg.eig(x)[0].real)  # here


@case(np.ones(3), raises=ad.NoDerivativeError, says=["`numpy.apply_along_axis`"])
def refused_function_with_advice(x):
    return np.sum(np.apply_along_axis(np.sum, 0, x))  # here


# -- results ------------------------------------------------------------------------------------


@case(np.ones(3), raises=ad.OutputError, says=["returns an array of shape", "vjp"])
def returns_an_array(x):  # here
    return x * x


@case(np.ones(3), raises=ad.OutputError, says=["returns a tuple", "Return one real number"])
def returns_a_tuple(x):  # here
    return x[0], x[1]


@case(2.0, raises=ad.OutputError, says=["returns a dict"])
def returns_a_dict(x):  # here
    return {"x": x}


@case(2.0, raises=ad.OutputError, says=["returns a list"])
def returns_a_list(x):  # here
    return [x]


@case(2.0, raises=ad.OutputError, says=["returns None"])
def returns_nothing(x):  # here
    x * x


@case(2.0, raises=ad.OutputError, says=["returns a bool"])
def returns_a_bool(x):  # here
    return x > 1


@case(2.0, raises=ad.OutputError, says=["returns a complex"])
def returns_a_complex(x):  # here
    return x * 1j


@case(np.ones(3), raises=ad.OutputError, says=["complex128"])
def returns_a_complex_array(x):  # here
    return np.sum(x * 1j)


@case(np.ones(3), raises=ad.OutputError, says=["bool"])
def returns_a_numpy_bool(x):  # here
    return np.all(x > 0)


@case(2.0, raises=ad.OutputError, says=["returns a str"])
def returns_a_text(x):  # here
    return f"{x}"


@pytest.mark.parametrize(
    ("fn", "args", "raises", "says", "argnums"), refused, ids=[r[0].__name__ for r in refused]
)
def test_refused(fn, args, raises, says, argnums, typed_only):
    with pytest.raises(raises) as caught:
        ad.grad(fn, argnums=argnums)(*args)
    assert isinstance(caught.value, ad.AdjointError)
    message = str(caught.value)
    for fragment in says:
        assert fragment in message, message
    mark = getattr(fn, "marked", "# here")
    if mark is not None:
        number, text = line_of(fn, mark)
        first, *rest = message.splitlines()
        name = getattr(fn, "reported_in", fn.__name__)
        assert first.startswith(f"{__file__}:{number}, in {name}: "), message
        assert rest[0] == f"    {number} | {text}", message
        assert re.fullmatch(r" +\| +\^+", rest[1]), message


def test_errors_of_value_and_grad_and_vjp_are_the_same(typed_only):
    for op in (ad.grad, ad.value_and_grad):
        with pytest.raises(ad.UnsupportedSyntaxError, match="`try`"):
            op(try_statement)(2.0)
    with pytest.raises(ad.UnsupportedSyntaxError, match="`try`"):
        ad.vjp(try_statement, 2.0)
    with pytest.raises(ad.UnsupportedSyntaxError, match="`try`"):
        ad.source(try_statement, 2.0)


def test_the_caret_is_under_the_expression():
    with pytest.raises(ad.AdjointError) as caught:
        ad.grad(float_of_a_text)(2.0)
    lines = str(caught.value).splitlines()
    start = lines[2].index("^")
    assert lines[1][start : start + lines[2].count("^")] == 'float(f"{y:.3f}")'


def test_error_in_a_helper_names_its_file(typed_only):
    with pytest.raises(ad.UnsupportedSyntaxError) as caught:
        ad.grad(lambda x: elsewhere.with_try(x))(2.0)
    number, _ = line_of(elsewhere.with_try, "try:")
    assert f"{elsewhere.__file__}:{number}, in with_try: `try`" in str(caught.value)


def test_what_is_refused_may_be_called_where_nothing_varies():
    def f(x, k):
        return x * elsewhere.with_try(k)

    assert ad.grad(f)(2.0, 3.0) == 9.0


def test_functions_without_source():
    scope = {}
    exec("def made(x):\n    return x * x", scope)
    with pytest.raises(ad.SourceUnavailableError) as caught:
        ad.grad(scope["made"])(2.0)
    assert "`made`" in str(caught.value)
    assert "Define the function in a file" in str(caught.value)


def test_functions_without_source_that_are_called():
    scope = {}
    exec("def made(x):\n    return x * x", scope)
    made = scope["made"]

    def f(x):
        y = x * 2
        return made(y) + x  # here

    with pytest.raises(ad.NoDerivativeError) as caught:
        ad.grad(f)(2.0)
    check_message(caught.value, f, ["made", "`y`", "ad.stop_gradient", "rule"])
    assert ad.grad(lambda x: x * made(3.0))(2.0) == 9.0


def test_compiled_functions_without_a_rule():
    special = pytest.importorskip("scipy.special")

    def f(x):
        y = x * 2
        return special.jv(1.0, y)  # here

    with pytest.raises(ad.NoDerivativeError) as caught:
        ad.grad(f)(2.0)
    check_message(caught.value, f, ["jv", "`y`", "rule"])
    g = ad.grad(lambda x, k: x * special.jv(1.0, k))
    assert g(2.0, 3.0) == special.jv(1.0, 3.0)
    with pytest.raises(ad.SourceUnavailableError, match="jv"):
        ad.grad(special.jv, argnums=1)(1.0, 2.0)


def test_generators_and_coroutines(typed_only):
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    with pytest.raises(ad.UnsupportedSyntaxError, match="`generator` is a generator"):
        ad.grad(generator)(2.0)
    with pytest.raises(ad.UnsupportedSyntaxError, match="`coroutine` is a coroutine"):
        ad.grad(coroutine)(2.0)


# -- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.arange(3), "array of dtype int64"),
        (np.array([True, False]), "array of dtype bool"),
        (np.int64(3), "dtype int64"),
        (True, "bool"),
        ("text", "str"),
        (None, "None"),
        (object(), "object"),
        ([np.arange(3)], "int64"),
        ({"k": (np.arange(3), 1.0)}, "int64"),
        (np.array(["a"]), "dtype <U1"),
        (len, "builtin_function_or_method"),
    ],
)
def test_arguments_that_cannot_be_differentiated_by(value, what):
    with pytest.raises(ad.ArgumentError) as caught:
        ad.grad(lambda weights, y: y * 2.0, argnums=0)(value, 1.0)
    assert isinstance(caught.value, TypeError)
    message = str(caught.value)
    assert "`weights`" in message
    assert what in message
    if "int64" in what:
        assert "astype(float)" in message


def two(x, y=1.0):
    return x * y


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"argnums": 2}, ["argnums=2", "`two`", "2 positional arguments", "(x, y)"]),
        ({"argnums": -3}, ["argnums=-3", "2 positional"]),
        ({"argnums": (0, 5)}, ["argnums=(0, 5)"]),
        ({"argnums": (0, 0)}, ["twice"]),
        ({"argnums": (0, -2)}, ["twice"]),
        ({"argnums": 1.0}, ["integer"]),
        ({"argnums": True}, ["integer"]),
        ({"argnums": "x"}, ["integer"]),
        ({"argnums": (0, "y")}, ["integer"]),
        ({"argnames": "z"}, ["argnames='z'", "`two`", "no argument `z`", "(x, y)"]),
        ({"argnames": ("x", "z")}, ["no argument `z`"]),
        ({"argnames": 0}, ["argnames"]),
        ({"argnums": 0, "argnames": "x"}, ["twice"]),
        ({"argnames": ("x", "x")}, ["twice"]),
    ],
)
def test_wrong_argnums_and_argnames(options, says):
    for op in (ad.grad, ad.value_and_grad):
        with pytest.raises(ad.ArgumentError) as caught:
            op(two, **options)
        assert isinstance(caught.value, TypeError)
        for fragment in says:
            assert fragment in str(caught.value)


def test_has_aux_needs_a_pair():
    with pytest.raises(ad.OutputError, match="value, aux"):
        ad.grad(lambda x: x * x, has_aux=True)(2.0)
    with pytest.raises(ad.OutputError, match="value, aux"):
        ad.grad(lambda x: (x, x, x), has_aux=True)(2.0)
    with pytest.raises(ad.OutputError, match="array of shape"):
        ad.grad(lambda x: (x * x, x), has_aux=True)(np.ones(3))


def test_mode_of_source():
    with pytest.raises(ad.ArgumentError, match="mode"):
        ad.source(two, 1.0, 1.0, mode="sideways")


# -- cotangents ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "cotangent", "says"),
    [
        (lambda x: x * 2, np.ones(4), ["shape (4,)", "shape (3,)"]),
        (lambda x: x * 2, np.ones((3, 1)), ["shape (3, 1)"]),
        (lambda x: x * 2, 1.0, ["shape ()"]),
        (lambda x: np.sum(x), np.ones(1), ["shape (1,)"]),
        (lambda x: x * 2, np.ones(3) * 1j, ["complex"]),
        (lambda x: np.sum(x), 1j, ["complex"]),
        (lambda x: x * 2, "text", ["shape|text|number"]),
        (lambda x: x * 2, None, ["None|shape"]),
        (lambda x: (x, x), np.ones(3), ["tuple", "length 2"]),
        (lambda x: (x, x), (np.ones(3),), ["tuple of length 2"]),
        (lambda x: (x, x), (np.ones(3), np.ones(2)), ["the value[1]", "shape (2,)"]),
        (lambda x: [x, x[0]], [np.ones(3), np.ones(3)], ["the value[1]"]),
        (lambda x: {"a": x}, {"b": np.ones(3)}, ["dict", "['a']"]),
        (lambda x: {"a": x}, np.ones(3), ["dict"]),
        (lambda x: {"a": x}, {"a": np.ones(2)}, ["the value['a']", "shape (2,)"]),
    ],
)
def test_wrong_cotangents(f, cotangent, says):
    _, pullback = ad.vjp(f, np.ones(3))
    with pytest.raises(ad.CotangentError) as caught:
        pullback(cotangent)
    assert isinstance(caught.value, ValueError)
    for fragment in says:
        assert any(f in str(caught.value) for f in fragment.split("|"))


def test_cotangents_of_other_dtypes_are_converted():
    _, pullback = ad.vjp(lambda x: x * 2, np.ones(3, np.float32))
    for d in (np.ones(3), np.ones(3, int), [1.0, 1.0, 1.0], np.ones(3, np.float32)):
        (result,) = pullback(d)
        np.testing.assert_array_equal(result, np.full(3, 2, np.float32), strict=True)
    _, pullback = ad.vjp(lambda x: x * 2, 3.0)
    for d in (1, 1.0, np.float64(1.0), np.ones(())):
        assert pullback(d) == (2.0,)


# -- exceptions of the user's own code ----------------------------------------------------------


def fails_in_the_function(x):
    y = x * 2
    z = y @ np.ones((2, 2))  # here
    return np.sum(z)


def text_of(call):
    try:
        call()
    except Exception:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def check_told(text, filename, number, name, source):
    """The traceback has a frame of the user's file, with the line and its text."""
    frame = f'  File "{filename}", line {number}, in {name}\n    {source}\n'
    assert frame in text, text


@pytest.mark.parametrize("operator", ["grad", "value_and_grad", "vjp", "grad by keyword"])
def test_traceback_shows_the_user_line(operator):
    x = np.ones(3)
    calls = {
        "grad": lambda: ad.grad(fails_in_the_function)(x),
        "value_and_grad": lambda: ad.value_and_grad(fails_in_the_function)(x),
        "vjp": lambda: ad.vjp(fails_in_the_function, x),
        "grad by keyword": lambda: ad.grad(fails_in_the_function)(x=x),
    }
    text = text_of(calls[operator])
    number, line = line_of(fails_in_the_function)
    check_told(text, __file__, number, "fails_in_the_function", line)
    assert text.rstrip().splitlines()[-1].startswith("ValueError: matmul")


def test_traceback_again_on_the_second_call():
    g = ad.grad(fails_in_the_function)
    number, line = line_of(fails_in_the_function)
    for _ in range(3):
        text = text_of(lambda: g(np.ones(3)))
        check_told(text, __file__, number, "fails_in_the_function", line)
        assert text.count("line_of") == 0
        assert text.count(f"line {number}, in fails_in_the_function") == 1


def test_traceback_names_the_file_of_a_helper():
    def f(a, b):
        return elsewhere.outer(a, b)

    text = text_of(lambda: ad.grad(f)(np.ones(3), np.ones((2, 2))))
    number, line = line_of(elsewhere.product, "fails")
    check_told(text, elsewhere.__file__, number, "product", line)


def test_traceback_in_a_loop_and_a_branch():
    def f(x, bad):
        s = 0.0
        for i in range(3):
            if i == bad:
                s = s + x[i + 10]  # here
            else:
                s = s + x[i] * x[i]
        return s

    g = ad.grad(f)
    np.testing.assert_array_equal(g(np.ones(3), 7), [2, 2, 2])
    text = text_of(lambda: g(np.ones(3), 1))
    number, line = line_of(f)
    check_told(text, __file__, number, "f", line)
    assert "IndexError: index 11 is out of bounds" in text


def test_traceback_of_a_raise_statement():
    def f(x):
        if x > 1:
            raise KeyError("too large")  # here
        return x * x

    text = text_of(lambda: ad.grad(f)(2.0))
    number, line = line_of(f)
    check_told(text, __file__, number, "f", line)


def test_traceback_in_a_recursive_function():
    def f(x, n):
        if n == 0:
            return x[100]  # here
        return f(x * 2, n - 1)

    text = text_of(lambda: ad.grad(f)(np.ones(3), 2))
    number, line = line_of(f)
    check_told(text, __file__, number, "f", line)


def test_traceback_of_a_lambda():
    f = lambda x: np.sum(x @ np.ones((2, 2)))  # here
    text = text_of(lambda: ad.grad(f)(np.ones(3)))
    number = f.__code__.co_firstlineno
    assert f'  File "{__file__}", line {number}, in <lambda>' in text


def test_traceback_in_the_backward_sweep():
    def f(x):
        y = np.sqrt(x)  # here
        return y * 2

    _, pullback = ad.vjp(f, np.zeros(3))

    def divide():
        with np.errstate(all="raise"):
            pullback(np.ones(3))

    text = text_of(divide)
    number, line = line_of(f)
    check_told(text, __file__, number, "f", line)
    assert "FloatingPointError: divide by zero" in text


def test_post_mortem_sees_the_generated_code():
    g = ad.grad(fails_in_the_function)
    try:
        g(np.ones(3))
    except ValueError as error:
        frames = list(traceback.walk_tb(error.__traceback__))
    generated = [f for f, _ in frames if f.f_code.co_filename.startswith("<adjoint of")]
    assert len(generated) == 1
    assert "x" in generated[0].f_locals
    text = inspect.getsource(generated[0])
    assert "def fails_in_the_function_grad(x)" in text


def test_generated_code_can_be_stepped():
    def f(x):
        s = 0.0
        for v in x:
            s = s + v * v
        return s

    g = ad.grad(f)
    g(np.ones(3))
    seen = []

    class Stepper(bdb.Bdb):
        def user_line(self, frame):
            if frame.f_code.co_filename.startswith("<adjoint of"):
                line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
                seen.append(line.strip())
            self.set_step()

    tracer = sys.gettrace()
    Stepper().runcall(g, np.ones(3))
    sys.settrace(tracer)
    assert sum(line.startswith("for ") for line in seen) >= 8, seen
    assert "" not in seen
    assert g.source.count("\n") > 3
    assert all(line in g.source for line in seen)


def test_linecache_survives_checkcache():
    g = ad.grad(lambda x: np.sum(x @ x))
    g(np.ones(3))
    linecache.checkcache()
    compiled = g._latest
    assert inspect.getsource(compiled.run).startswith("def lambda_")


# -- the printer of locations -------------------------------------------------------------------


def test_show_location(tmp_path):
    path = tmp_path / "m.py"
    path.write_text("if 1:\n    y = f(x)\n\tz = 3\n")
    assert show_location(Origin(str(path), 2, 8, 12, "f")) == ("    2 | y = f(x)\n      |     ^^^^")
    # a statement over several lines has no end on this line
    assert show_location(Origin(str(path), 2, 4, 0, "f")).endswith("| ^^^^^^^^")
    assert show_location(Origin(str(path), 99, 0, 0, "f")) == ""
    assert show_location(Origin("no such file", 1, 0, 0, "f")) == ""


def test_message_without_a_place():
    error = ad.AdjointError("what happened", None, "Do this.\nOr that.")
    assert str(error) == "what happened\n    Do this.\n    Or that."
    assert error.what == "what happened"
    assert error.origin is None


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ad.UnsupportedSyntaxError, ad.AdjointError),
        (ad.NoDerivativeError, ad.AdjointError),
        (ad.SourceUnavailableError, ad.AdjointError),
        (ad.AliasingError, ad.UnsupportedSyntaxError),
        (ad.ArgumentError, TypeError),
        (ad.OutputError, TypeError),
        (ad.CotangentError, ValueError),
    ],
)
def test_kinds(kind, base):
    assert issubclass(kind, ad.AdjointError)
    assert issubclass(kind, base)
    assert kind.__doc__
    assert getattr(ad, kind.__name__) is kind

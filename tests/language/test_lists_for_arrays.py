"""Lists of numbers that vary, given to functions that take arrays."""

import numpy as np
import pytest

from adjoint import forms
from adjoint.testing import check_grads

CALLS = """
np.max([p[0], p[1] * 2, 0.1]) * np.min(v)
np.max([v, p], axis=0) + np.nanmin((p[0], p[1]))
np.prod(v) * np.median([p[0]]) + np.var(v) + np.average(v)
np.array(k) * p[0]
np.stack(k) * np.array([m[1], [n, 1]])
np.dot(v, v)
np.dot([1.0, 2.0], v) * np.dot(p, v)
np.inner(v, p) + np.vdot(v, v)
np.outer(v, p)
np.kron(v, v)
np.einsum("i,j->ij", v, p)
np.einsum("ij,i->j", m, [1.0, p[1]])
np.tensordot(v, v, 1)
np.cross([p[0], p[1], 1.0], [p[1], 2.0, p[0]])
np.convolve(v, p)
np.append(v, p[0])
np.append(p, v)
np.transpose(m) @ p
np.reshape(m, 4)
np.ravel(m)
np.squeeze(m)
np.expand_dims(v, 0)
np.atleast_2d(v)
np.diag(v)
np.diag(m)
np.trace(m)
np.sort(v)
np.cumsum(v)
np.cumprod(v)
np.diff(v)
np.pad(v, 1)
np.ptp(v)
np.clip(v, 0.1, 0.5)
np.interp(0.5, [0.0, 1.0], v)
np.linalg.inv(m)
np.linalg.det(m)
np.linalg.solve(m, v)
np.linalg.norm(v)
np.linalg.svd(m, compute_uv=False)
np.linalg.qr(m)[1]
np.linalg.matrix_power(m, 2)
np.abs(np.fft.fft(v))
""".split("\n")[1:-1]

PROGRAM = """
def f(p):
    v = [e * p[1] for e in p]
    m = [[p[0] + 2.0, p[1]], [0.5, p[0] * p[1]]]
    n = len(p)
    k = [[n, n], (p[0], p[1])]
    return np.sum({} ** 2)
"""


@pytest.mark.parametrize("form", forms.BOTH)
@pytest.mark.parametrize("call", CALLS)
def test_call(call, form, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(call))
    space = {"np": np}
    exec(compile(path.read_text(), path, "exec"), space)
    with forms.only(form):
        check_grads(space["f"], (np.array([0.3, 0.9]),), order=2)

"""What tests of layers share."""

import pytest

from adjoint.nn import kernels


@pytest.fixture(params=["numpy", "numba"])
def form(request, monkeypatch):
    """Each form of the kernels in turn."""
    if request.param == "numba":
        pytest.importorskip("numba", reason="Numba is not installed")
    monkeypatch.setattr(kernels, "form", request.param)
    return request.param

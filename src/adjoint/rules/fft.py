"""np.fft. The transpose of a Fourier transform, which is symmetric, is itself.

Cotangents are not conjugated (see elementwise.py), so that d_x = fft(d_z) where z = fft(x).
"""

import numpy as np
import numpy.fft

from .helpers import other_norm
from .runtime import fit_axis, half_weights
from .template import d, rule, zero_derivative

zero_derivative(half_weights, np.fft.fftfreq, np.fft.rfftfreq)


@rule(fit_axis)
def fit_axis_rule(z, x, n, axis=-1):
    d[z] = fit_axis(d[x], n, axis)
    d[x] += fit_axis(d[z], x.shape[axis], axis)


@rule(np.fft.fft)
def fft(z, x, n=None, axis=-1, norm=None):
    d[z] = np.fft.fft(d[x], n, axis, norm)
    d[x] += fit_axis(np.fft.fft(d[z], None, axis, norm), x.shape[axis], axis)


@rule(np.fft.ifft)
def ifft(z, x, n=None, axis=-1, norm=None):
    d[z] = np.fft.ifft(d[x], n, axis, norm)
    d[x] += fit_axis(np.fft.ifft(d[z], None, axis, norm), x.shape[axis], axis)


@rule(np.fft.rfft, when=lambda n: n is None)
def rfft(z, x, n=None, axis=-1, norm=None):
    """The half that rfft leaves out counts as zeros."""
    d[z] = np.fft.rfft(d[x], n, axis, norm)
    d[x] += np.real(np.fft.fft(d[z], x.shape[axis], axis, norm))


@rule(np.fft.rfft)
def rfft_n(z, x, n=None, axis=-1, norm=None):
    """The half that rfft leaves out counts as zeros."""
    d[z] = np.fft.rfft(d[x], n, axis, norm)
    d[x] += fit_axis(np.real(np.fft.fft(d[z], n, axis, norm)), x.shape[axis], axis)


@rule(np.fft.irfft)
def irfft(z, x, n=None, axis=-1, norm=None):
    """All of x counts twice, for the half left out, but the first and, of even n, the last."""
    d[z] = np.fft.irfft(d[x], n, axis, norm)
    d[x] += fit_axis(
        half_weights(z, axis) * np.conjugate(np.fft.rfft(d[z], None, axis, other_norm(norm))),
        x.shape[axis],
        axis,
    )


@rule(np.fft.rfft2)
def rfft2(z, x, axes=(-2, -1), norm=None):
    """The half that rfft2 leaves out counts as zeros."""
    d[z] = np.fft.rfft2(d[x], axes=axes, norm=norm)
    whole = fit_axis(d[z], x.shape[axes[-1]], axes[-1])
    d[x] += np.real(np.fft.fft2(whole, axes=axes, norm=norm))


@rule(np.fft.irfft2)
def irfft2(z, x, axes=(-2, -1), norm=None):
    """As in irfft, all of x counts twice but the first and the last along the last axis."""
    d[z] = np.fft.irfft2(d[x], axes=axes, norm=norm)
    d[x] += half_weights(z, axes[-1]) * np.conjugate(
        np.fft.rfft2(d[z], axes=axes, norm=other_norm(norm))
    )


@rule(np.fft.rfftn, when=lambda axes: axes is not None)
def rfftn(z, x, axes=None, norm=None):
    """The half that rfftn leaves out counts as zeros."""
    d[z] = np.fft.rfftn(d[x], axes=axes, norm=norm)
    whole = fit_axis(d[z], x.shape[axes[-1]], axes[-1])
    d[x] += np.real(np.fft.fftn(whole, axes=axes, norm=norm))


@rule(np.fft.rfftn)
def rfftn_of_all(z, x, axes=None, norm=None):
    """The half that rfftn leaves out counts as zeros."""
    d[z] = np.fft.rfftn(d[x], norm=norm)
    d[x] += np.real(np.fft.fftn(fit_axis(d[z], x.shape[-1], -1), norm=norm))


@rule(np.fft.irfftn)
def irfftn(z, x, axes=None, norm=None):
    """As in irfft, all of x counts twice but the first and the last along the last axis."""
    d[z] = np.fft.irfftn(d[x], axes=axes, norm=norm)
    d[x] += half_weights(z, -1 if axes is None else axes[-1]) * np.conjugate(
        np.fft.rfftn(d[z], axes=axes, norm=other_norm(norm))
    )


@rule(np.fft.fft2)
def fft2(z, x, axes=(-2, -1), norm=None):
    d[z] = np.fft.fft2(d[x], axes=axes, norm=norm)
    d[x] += np.fft.fft2(d[z], axes=axes, norm=norm)


@rule(np.fft.ifft2)
def ifft2(z, x, axes=(-2, -1), norm=None):
    d[z] = np.fft.ifft2(d[x], axes=axes, norm=norm)
    d[x] += np.fft.ifft2(d[z], axes=axes, norm=norm)


@rule(np.fft.fftn)
def fftn(z, x, axes=None, norm=None):
    d[z] = np.fft.fftn(d[x], axes=axes, norm=norm)
    d[x] += np.fft.fftn(d[z], axes=axes, norm=norm)


@rule(np.fft.ifftn)
def ifftn(z, x, axes=None, norm=None):
    d[z] = np.fft.ifftn(d[x], axes=axes, norm=norm)
    d[x] += np.fft.ifftn(d[z], axes=axes, norm=norm)


@rule(np.fft.fftshift)
def fftshift(z, x, axes=None):
    d[z] = np.fft.fftshift(d[x], axes)
    d[x] += np.fft.ifftshift(d[z], axes)


@rule(np.fft.ifftshift)
def ifftshift(z, x, axes=None):
    d[z] = np.fft.ifftshift(d[x], axes)
    d[x] += np.fft.fftshift(d[z], axes)

"""Handwritten digits of 28x28 pixels, for the examples that read such images.

The 1797 images of 8x8 pixels that come with scikit-learn, enlarged; or MNIST, from a folder with
its four files in IDX format, compressed or not.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from adjoint.data import read_idx


def load_images(mnist=None):
    """Images (N, 28, 28) and labels (N,): x_train, x_test, y_train, y_test.

    mnist: the folder with the files of MNIST. Without it, a fourth of scikit-learn's digits is held
    out for the test. The pixels of the training images have mean 0 and variance 1.
    """
    if mnist is None:
        x, y = load_digits(return_X_y=True)
        x = enlarged(x.reshape(-1, 8, 8))
        x_train, x_test, y_train, y_test = train_test_split(
            x, y, test_size=0.25, stratify=y, random_state=0
        )
    else:
        x_train, y_train = read(mnist, "train-images"), read(mnist, "train-labels")
        x_test, y_test = read(mnist, "t10k-images"), read(mnist, "t10k-labels")
    centre, spread = x_train.mean(), x_train.std()
    x_train, x_test = (((x - centre) / spread).astype(np.float32) for x in (x_train, x_test))
    return x_train, x_test, y_train, y_test


def enlarged(images, size=28):
    """Images (N, n, n) as (N, size, size), with straight lines from pixel to pixel."""
    n = images.shape[1]
    places = (np.arange(size) + 0.5) * n / size - 0.5  # of the new pixels, among the old ones
    weights = np.stack([np.interp(places, np.arange(n), pixel) for pixel in np.eye(n)])
    return weights.T @ images @ weights


def read(folder, name):
    """The array in a file of MNIST, such as `train-images-idx3-ubyte.gz`."""
    found = sorted(Path(folder).glob(f"{name}*"))
    if not found:
        raise FileNotFoundError(f"there is no file {name}* in {folder}")
    return read_idx(found[0])

"""A network of two layers reads handwritten digits of 28x28 pixels.

The images are scikit-learn's digits, enlarged (see images.py); with --mnist FOLDER they are those
of MNIST, whose files you have there.

Run:  python examples/mnist_net.py [--show-source] [--mnist FOLDER]
The curves go to out/mnist_net.png. The exit status is 1 if the test accuracy is under 0.96.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from curves import draw
from images import load_images

import adjoint as ad
from adjoint import nn, optim
from adjoint.data import DataLoader, History
from adjoint.nn import functional as F

REQUIRED_ACCURACY = 0.96


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = x.reshape(-1, 784)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


@ad.value_and_grad
def loss_fn(net, x, y):
    return F.cross_entropy(net(x), y)


def accuracy(net, x, y):
    return np.mean(np.argmax(net(x), axis=1) == y)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--show-source", action="store_true", help="print the derivative that ran")
    parser.add_argument("--mnist", type=Path, help="folder with the four files of MNIST")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    nn.manual_seed(args.seed)
    x_train, x_test, y_train, y_test = load_images(args.mnist)
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.02)
    loader = DataLoader(x_train, y_train, batch_size=32, shuffle=True, seed=args.seed)

    history = History()
    start = time.perf_counter()
    for epoch in range(1, args.epochs + 1):
        losses = []
        for x, y in loader:
            loss, grads = loss_fn(net, x, y)
            optimizer.step(grads)
            losses.append(loss)
        history.append(loss=np.mean(losses), accuracy=accuracy(net, x_test, y_test))
        print(f"Epoch [{epoch}/{args.epochs}], Loss: {np.mean(losses):.4f}")
    seconds = time.perf_counter() - start
    if args.show_source:
        print(loss_fn.source)

    reached = history["accuracy"][-1]
    print(f"Test accuracy: {reached:.4f} on {len(x_test)} images")
    print(f"Time: {seconds:.1f} s")

    picture = args.out / "mnist_net.png"
    draw(picture, history, REQUIRED_ACCURACY)
    print(f"Picture: {picture}")
    return 0 if reached >= REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())

"""A convolutional network reads handwritten digits of 28x28 pixels.

Two convolutions with max pooling and two affine layers are trained by gradient descent with
momentum, on images that are moved a little each time. The images are scikit-learn's digits,
enlarged (see images.py); with --mnist FOLDER they are those of MNIST, whose files you have there.

Each epoch ends with a checkpoint. A training that was stopped goes on from there with --resume, and
ends with the same numbers, bit for bit.

Run:  python examples/convnet.py [--show-source] [--resume] [--mnist FOLDER]
The curves go to out/convnet.png, the checkpoint to out/convnet.safetensors. The exit status is 1 if
the test accuracy is under 0.985.
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
from adjoint.data import DataLoader, History, progress
from adjoint.nn import functional as F
from adjoint.serialization import load_checkpoint, save_checkpoint

REQUIRED_ACCURACY = 0.985


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))  # (N, 32, 14, 14)
        x = self.pool(F.relu(self.conv2(x)))  # (N, 64, 7, 7)
        x = x.reshape(-1, 64 * 7 * 7)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


@ad.value_and_grad
def loss_fn(net, x, y):
    return F.cross_entropy(net(x), y)


def moved(x, rng):
    """A batch of images, moved by up to two pixels; what goes out at one edge comes in opposite."""
    return np.roll(x, rng.integers(-2, 3, size=2), axis=(2, 3))


def train_epoch(net, loader, optimizer, description):
    """One pass over the data; the mean loss."""
    net.train()
    losses = []
    batches = progress(loader, description, leave=False)
    for x, y in batches:
        loss, grads = loss_fn(net, moved(x, loader.generator), y)
        optimizer.step(grads)
        losses.append(loss)
        batches.report(loss=loss)
    return np.mean(losses)


def accuracy(net, x, y):
    net.eval()
    with ad.no_grad():
        right = [np.argmax(net(x), axis=1) == y for x, y in DataLoader(x, y, batch_size=250)]
    return np.mean(np.concatenate(right))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the results")
    parser.add_argument("--show-source", action="store_true", help="print the derivative that ran")
    parser.add_argument("--mnist", type=Path, help="folder with the four files of MNIST")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)

    nn.manual_seed(args.seed)
    x_train, x_test, y_train, y_test = load_images(args.mnist)
    x_train, x_test = x_train[:, None], x_test[:, None]  # one channel
    net = ConvNet()
    optimizer = optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    loader = DataLoader(x_train, y_train, batch_size=32, shuffle=True, seed=args.seed)
    history = History()

    checkpoint = args.out / "convnet.safetensors"
    parts = dict(model=net, optimizer=optimizer, scheduler=scheduler, loader=loader)
    if args.resume:
        history.load_state_dict(load_checkpoint(checkpoint, **parts)["history"])

    start = time.perf_counter()
    for epoch in range(len(history) + 1, args.epochs + 1):
        loss = train_epoch(net, loader, optimizer, f"Epoch {epoch}")
        scheduler.step()
        reached = accuracy(net, x_test, y_test)
        history.append(loss=loss, accuracy=reached)
        save_checkpoint(checkpoint, **parts, history=history.state_dict())
        print(f"Epoch [{epoch}/{args.epochs}], Loss: {loss:.4f}, Test accuracy: {reached:.4f}")
    seconds = time.perf_counter() - start
    if args.show_source:
        print(loss_fn.source)

    reached = history["accuracy"][-1]
    print(f"Test accuracy: {reached:.4f} on {len(x_test)} images")
    print(f"Time: {seconds:.1f} s")

    picture = args.out / "convnet.png"
    draw(picture, history, REQUIRED_ACCURACY)
    print(f"Picture: {picture}")
    return 0 if reached >= REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())

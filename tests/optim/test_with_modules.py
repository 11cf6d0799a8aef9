"""Modules, their gradients, optimisers and checkpoints together."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import nn, optim, tree


class Mixed(nn.Module):
    """A module whose parts are assigned before its arrays, and which has arrays of one shape."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.scale = np.ones(3, np.float32)
        self.last = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
        self.shift = np.zeros(3, np.float32)
        self.register_buffer("kept", np.ones(3, np.float32))

    def forward(self, x):
        return self.last(self.first(x) * self.scale * self.kept) + self.shift


def loss(net, x):
    return np.sum(net(x) ** 2)


def test_parameters_and_leaves_are_in_one_order():
    net = Mixed()
    assert list(tree.named_leaves(net)) == [name for name, _ in net.named_parameters()]
    x = np.ones((2, 3), np.float32)
    grads = ad.grad(loss)(net, x)
    assert list(tree.named_leaves(grads)) == [name for name, _ in grads.named_parameters()]


@pytest.mark.parametrize(
    "given",
    [
        lambda net: net,
        lambda net: net.parameters(),
        lambda net: net.named_parameters(),
        lambda net: dict(net.named_parameters()),
        lambda net: [{"params": net.scale}, {"params": net.parameters()[1:]}],
    ],
)
def test_each_parameter_gets_its_own_gradient(given, rng):
    net = Mixed()
    x = rng.normal(size=(4, 3)).astype(np.float32)
    grads = ad.grad(loss)(net, x)
    expected = {
        name: p - np.float32(0.1) * tree.named_leaves(grads)[name]
        for name, p in net.named_parameters()
    }
    optim.SGD(given(net), lr=0.1).step(grads)
    for name, p in net.named_parameters():
        np.testing.assert_allclose(p, expected[name], rtol=1e-5, atol=1e-6)
    assert (net.kept == 1).all()


def test_gradients_of_modules_are_clipped(rng):
    net = Mixed()
    grads = ad.grad(loss)(net, rng.normal(size=(4, 3)).astype(np.float32))
    optim.clip_grad_norm_(grads, 0.5)
    total = sum(float(np.sum(g * g)) for g in grads.parameters())
    assert abs(total - 0.25) < 1e-4


@pytest.mark.parametrize("stop", [0, 2])
def test_a_network_resumes_bit_for_bit(stop, tmp_path, rng):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    x = rng.normal(size=(30, 3)).astype(np.float32)
    path = tmp_path / "last.safetensors"

    def training(seed):
        nn.manual_seed(seed)
        net = Mixed()
        optimizer = optim.AdamW(net.parameters(), lr=0.05)
        return {
            "model": net,
            "optimizer": optimizer,
            "scheduler": optim.lr_scheduler.StepLR(optimizer, 2),
            "loader": ad.data.DataLoader(x, batch_size=7, shuffle=True, seed=seed),
        }

    def epochs(parts, count):
        for _ in range(count):
            for batch in parts["loader"]:
                parts["optimizer"].step(ad.grad(loss)(parts["model"], batch))
            parts["scheduler"].step()

    straight, other = training(1), training(2)
    epochs(straight, stop)
    ad.serialization.save_checkpoint(path, **straight)
    epochs(straight, 3)
    ad.serialization.load_checkpoint(path, **other)
    epochs(other, 3)
    for name, array in straight["model"].state_dict().items():
        np.testing.assert_array_equal(other["model"].state_dict()[name], array)

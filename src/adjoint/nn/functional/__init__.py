"""Functions of neural networks, named and laid out as in torch.nn.functional."""

"""Data for training: batches of arrays, files of arrays, progress, and a record of the metrics."""

from .history import History
from .loader import DataLoader
from .progress import progress
from .readers import read_idx, read_npy, read_npz

__all__ = ["DataLoader", "History", "progress", "read_idx", "read_npy", "read_npz"]

"""`with np.errstate(...)`: what is silenced going forward is silenced going backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from .levels import state


class Errstate:
    """Enters np.errstate and notes where the block starts and ends."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    def __enter__(self) -> Any:
        entered = self.manager.__enter__()
        self._note(Entered())
        return entered

    def __exit__(self, *error: Any) -> Any:
        self._note(Left(np.geterr()))
        return self.manager.__exit__(*error)

    @staticmethod
    def _note(entry: Any) -> None:
        for level in state.levels:
            level.note_setting(entry)


class Left:
    """The end of the block: walking backwards, its settings begin to hold."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def pull(self, sweep: Any) -> None:
        sweep.settings.append(np.seterr(**self.settings))


class Entered:
    """The start of the block: walking backwards, its settings cease to hold."""

    def pull(self, sweep: Any) -> None:
        if sweep.settings:
            np.seterr(**sweep.settings.pop())

"""What became of a call that somebody began and did not live to tell the end of: read back from the cloud, for the dispatcher."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from events.running import Run
from functions.cloud.errors import CallError
from functions.registry import Undecided

if TYPE_CHECKING:
    from events.dispatch import Call
    from functions.cloud.client import Client


class Reconciling(Run):
    """A call whose earlier run is looked for. `hindrance` is why the cloud could not be asked just now, None when it was."""

    def __init__(self, client: Client, call: Call, only: str) -> None:
        super().__init__(client, call, only)
        self._undone = False

    def reconcile(self) -> bool:
        """Ask; False when the earlier run had no effect, or running it again has none. Else it has ended: done, or nobody knows."""
        self._until_ended(self._read_back)
        return not self._undone

    @property
    def reconcilable(self) -> bool:
        """As in `Run`: asking again helps where only the reading failed."""
        return self.hindrance is not None

    def _read_back(self) -> None:
        function, cloud = self._begin(reads=True)
        if function.reads or function.idempotent:
            self._undone = True
            return
        if function.reconcile is None:
            raise CallError("whoever sent it did not live to tell, and the cloud cannot be asked")
        try:
            answer = function.reconcile(self._payload, cloud)
        except Undecided as error:
            raise CallError(f"whoever sent it did not live to tell, and {error}") from None
        except CallError as error:
            self.hindrance = copy(error)
            raise
        self._undone = answer is None
        if answer is not None:
            self._answered(answer)

    def _end(self, error: CallError, *, crashed: bool = False) -> None:  # noqa: ARG002 - whatever happened, it is in doubt
        self.error = error
        self._in_doubt(error)

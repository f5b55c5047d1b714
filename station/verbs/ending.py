"""How a run that ends by itself ends: the last owed work gets a minute, on a screen and without one."""

from __future__ import annotations

from drivers.clock import CancelToken, Deadline

from ..compose import Station

OUTBOX_WAIT_S = 60.0
POLL_S = 0.5


def wait_outbox(station: Station, cancel: CancelToken | None = None) -> None:
    """Until nothing is owed to the cloud, a minute of the station's clock at most.

    Call it before `Station.stop`. Raises `drivers.errors.Cancelled` when ``cancel`` is.
    """
    deadline = Deadline.after(station.clock, OUTBOX_WAIT_S)
    while station.journal.waiting() and not deadline.expired:
        station.clock.sleep(POLL_S, cancel)

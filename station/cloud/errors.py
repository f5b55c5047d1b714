"""What can go wrong between this station and the cloud.

::

    CloudError (station.errors)
     +- CloudDown        no network, no answer, or a sick cloud, after all retries: try later
     +- RateLimited      the cloud (or our own request budget) says "slower", after all retries: try later
     +- OutcomeUnknown   a write went out and no answer came back: read the state, then decide (N2)
     +- TokenRejected    401: log in again; the unit is not judged (N4)
     +- CloudRefused     the cloud said no, in its own words
     |   +- NotAllowed     this token may not do that at all: a configuration fault, no fault of the unit
     +- BadAnswer        an answer that cannot be read as what it should be

`CloudDown` and `RateLimited` are the only ones for which waiting helps; an offline profile queues on them.
"""

from __future__ import annotations

from ..errors import CloudError

__all__ = [
    "BadAnswer", "CloudDown", "CloudError", "CloudRefused", "NotAllowed", "OutcomeUnknown", "RateLimited",
    "TokenRejected",
]  # fmt: skip


class CloudDown(CloudError):
    """The cloud cannot be reached, or answers with server errors only."""


class RateLimited(CloudError):
    """Too many requests from this site or station."""

    sentence = "cloud_limit"


class OutcomeUnknown(CloudError):
    """A write that may not be repeated blindly was sent, and whether it was done is not known."""


class TokenRejected(CloudError):
    """The access token is missing, wrong or expired."""

    sentence = "token_rejected"


class CloudRefused(CloudError):
    """The cloud refused a request. ``status`` is the HTTP status, ``words`` what the cloud said."""

    sentence = "cloud_refused"

    def __init__(self, message: str, *, status: int, words: str, request_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.words = words
        self.request_id = request_id


class NotAllowed(CloudRefused):
    """The token lacks the scope, or belongs to an API user on a route for people."""


class BadAnswer(CloudError):
    """An answer of the cloud is not what this request must get."""

"""What can go wrong between this station and the cloud.

::

    CloudError (station.errors)
     +- CloudDown        no network, no answer, or server errors, after all retries: try later
     |   +- NotTheCloud  a portal, firewall or proxy answers in its place
     +- RateLimited      the cloud (or our own request budget) says "slower", after all retries: try later
     +- OutcomeUnknown   a write was sent and no answer came back: read the state, then decide (N2)
     +- CloudRefused     the cloud refused; ``about`` says on whose account (`station.cloud.evidence`)
     |   +- TokenRejected  401, or there is none: log in; says nothing about the unit (N4)
     |   +- NotAllowed     this token lacks the permission: a configuration fault, not the unit's
     +- BadAnswer        an answer that cannot be parsed as what it should be

`is_waiting` says for which of them waiting helps, `waits_for` gives the operator's message meanwhile.
"""

from __future__ import annotations

from ..errors import CloudError
from ..model import Mender
from ..words.say import NOTHING, Say
from .evidence import TABLE, About, Consequence, Follows, Speaker

__all__ = [
    "BadAnswer", "CloudDown", "CloudError", "CloudRefused", "NotAllowed", "NotTheCloud", "OutcomeUnknown",
    "RateLimited", "TokenRejected", "is_waiting", "waits_for",
]  # fmt: skip


class CloudDown(CloudError):
    """The cloud cannot be reached, or returns only server errors: then its vendor is the ``mender``."""

    is_widespread = True

    def __init__(self, message: str, *, mender: Mender = Mender.NETWORK) -> None:
        super().__init__(message)
        self.mender = mender


class NotTheCloud(CloudDown):
    """Something other than the cloud answers in its place."""

    say = Say("cloud_blocked")
    who = TABLE[Speaker.OTHER, About.MOMENT].who


class RateLimited(CloudError):
    """Too many requests from this site or station."""

    say = Say("cloud_limit")
    is_widespread = True


class OutcomeUnknown(CloudError):
    """A write that must not be repeated blindly was sent, and it is unknown whether it was done."""


class CloudRefused(CloudError):
    """The cloud refused a request. ``status`` is the HTTP status, ``words`` what the cloud said."""

    say = NOTHING  # replaced by the one for `about`, unless a subclass has its own

    def __init__(self, message: str, *, status: int, words: str, about: About, request_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.words = words
        self.request_id = request_id
        self.about = about
        self.say, self.who = self.say or self.consequence.say, self.consequence.who
        self.mender = self.consequence.mender

    @property
    def consequence(self) -> Consequence:
        """Return what follows from it, according to `evidence.TABLE`."""
        return TABLE[Speaker.CLOUD, self.about]


class TokenRejected(CloudRefused):
    """The access token is missing, wrong or expired."""

    say = Say("token_rejected")
    is_widespread = True

    def __init__(self, message: str, *, status: int = 401, words: str = "", request_id: str = "") -> None:
        super().__init__(message, status=status, words=words, about=About.ACCOUNT, request_id=request_id)


class NotAllowed(CloudRefused):
    """The token lacks the scope, or belongs to an API user and the route is for people only."""


class BadAnswer(CloudError):
    """An answer of the cloud does not have the form this request requires."""

    mender = Mender.VENDOR


def is_waiting(error: CloudError) -> bool:
    """Return whether waiting helps: the cloud is unavailable, or a person can fix the cause of its refusal."""
    if isinstance(error, CloudRefused):
        return error.consequence.follows is not Follows.JUDGE
    return isinstance(error, CloudDown | RateLimited)


def waits_for(error: CloudError) -> Say:
    """Return the operator's message for cloud work that waits because of ``error``."""
    return TABLE[Speaker.CLOUD, About.MOMENT].say if type(error) is CloudDown else error.say

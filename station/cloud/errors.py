"""What can go wrong between this station and the cloud.

::

    CloudError (station.errors)
     +- CloudDown        no network, no answer, or a sick cloud, after all retries: try later
     |   +- NotTheCloud  a portal, firewall or proxy answers in its place
     +- RateLimited      the cloud (or our own request budget) says "slower", after all retries: try later
     +- OutcomeUnknown   a write went out and no answer came back: read the state, then decide (N2)
     +- CloudRefused     the cloud said no, in its own words; ``about`` says what to (`station.cloud.evidence`)
     |   +- TokenRejected  401: put in a new token; the unit is not judged (N4)
     |   +- NotAllowed     this token may not do that at all: a configuration fault, no fault of the unit
     +- BadAnswer        an answer that cannot be read as what it should be

`is_waiting` says for which of them waiting helps, `waits_for` what the operator is told meanwhile.
"""

from __future__ import annotations

from ..errors import CloudError
from ..words.say import NOTHING, Say
from .evidence import TABLE, About, Consequence, Follows, Speaker

__all__ = [
    "BadAnswer", "CloudDown", "CloudError", "CloudRefused", "NotAllowed", "NotTheCloud", "OutcomeUnknown",
    "RateLimited", "TokenRejected", "is_waiting", "waits_for",
]  # fmt: skip


class CloudDown(CloudError):
    """The cloud cannot be reached, or answers with server errors only."""

    is_widespread = True


class NotTheCloud(CloudDown):
    """Somebody else answers in the cloud's place."""

    say = Say("cloud_blocked")
    who = TABLE[Speaker.OTHER, About.MOMENT].who


class RateLimited(CloudError):
    """Too many requests from this site or station."""

    say = Say("cloud_limit")
    is_widespread = True


class OutcomeUnknown(CloudError):
    """A write that may not be repeated blindly was sent, and whether it was done is not known."""


class CloudRefused(CloudError):
    """The cloud refused a request. ``status`` is the HTTP status, ``words`` what the cloud said."""

    say = NOTHING  # by what it is about, where a subclass has none of its own

    def __init__(self, message: str, *, status: int, words: str, about: About, request_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.words = words
        self.request_id = request_id
        self.about = about
        self.say, self.who = self.say or self.consequence.say, self.consequence.who

    @property
    def consequence(self) -> Consequence:
        """What follows from it, by the one table."""
        return TABLE[Speaker.CLOUD, self.about]


class TokenRejected(CloudRefused):
    """The access token is missing, wrong or expired."""

    say = Say("token_rejected")
    is_widespread = True

    def __init__(self, message: str, *, status: int = 401, words: str = "", request_id: str = "") -> None:
        super().__init__(message, status=status, words=words, about=About.ACCOUNT, request_id=request_id)


class NotAllowed(CloudRefused):
    """The token lacks the scope, or belongs to an API user on a route for people."""


class BadAnswer(CloudError):
    """An answer of the cloud is not what this request must get."""


def is_waiting(error: CloudError) -> bool:
    """Waiting helps: the cloud is away, or somebody can mend what it refuses."""
    if isinstance(error, CloudRefused):
        return error.consequence.follows is not Follows.JUDGE
    return isinstance(error, CloudDown | RateLimited)


def waits_for(error: CloudError) -> Say:
    """What the operator is told of work that waits because of ``error``."""
    return TABLE[Speaker.CLOUD, About.MOMENT].say if type(error) is CloudDown else error.say

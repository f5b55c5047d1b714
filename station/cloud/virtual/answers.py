"""Makes HTTP answers of replies, and of faults (reference cloud-api 1)."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.wrappers import Response

from .ask import Reply
from .faults import Fault, FaultKind, Who

_PAGE = "<html><body><h1>Bad Gateway</h1></body></html>"
JSON, HTML, BYTES, STREAM = "application/json", "text/html", "application/octet-stream", "text/event-stream"


def no_route(found: HTTPException | Mapping[str, object], now: datetime.datetime) -> Response:
    """Answer 404 for an unknown path, or 405 with the methods that a known one has."""
    if isinstance(found, HTTPException):
        response = _json(404, {"error": f"No route: {found.name}"})
    else:
        response = _json(405, {"error": "method_not_allowed", "error_description": "Method not allowed"})
        response.headers["Allow"] = ", ".join(sorted(found))
    response.headers["Date"] = http_date(now)
    return response


def in_place_of_work(fault: Fault) -> Reply:
    """Return what a fault answers in place of the work."""
    status = 200 if fault.kind is FaultKind.LIE else fault.status
    usual = {FaultKind.HTML: _PAGE, FaultKind.LIE: {"ok": True}}.get(fault.kind, {})
    return Reply(status, usual if fault.body is None else fault.body)


def answer_of(
    reply: Reply, seq: int, now: datetime.datetime, fault: Fault | None, lasts_s: float, break_off: Callable[[], None]
) -> Response:
    """Make the answer. ``lasts_s``: for how long a limit goes on; ``break_off`` breaks the connection."""
    if fault is not None and fault.kind is FaultKind.HTML:
        response = Response(
            reply.body if isinstance(reply.body, bytes) else str(reply.body), reply.status, content_type=HTML
        )
    else:
        response = _response(reply)
    response.headers["Date"] = http_date(now)
    if lasts_s:
        response.headers["Retry-After"] = str(math.ceil(lasts_s))
    if fault is None or fault.who is Who.CLOUD:
        response.headers["X-Request-Id"] = f"virtual-{seq}"
    if fault is None:
        return response
    response.headers.update(fault.who.headers)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    if fault.kind is FaultKind.TRUNCATE:
        whole = response.get_data()
        response.response = _half(whole, break_off)
        response.headers["Content-Length"] = str(len(whole))
    return response


def _half(whole: bytes, break_off: Callable[[], None]) -> Iterator[bytes]:
    yield whole[: len(whole) // 2]
    break_off()


def _response(reply: Reply) -> Response:
    if reply.status == 204:
        return Response(status=204)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, content_type=BYTES)
    if isinstance(reply.body, Iterable) and not isinstance(reply.body, str | Mapping | list):
        return Response(reply.body, reply.status, content_type=STREAM, headers={"Cache-Control": "no-cache"})
    return _json(reply.status, reply.body)


def _json(status: int, body: object) -> Response:
    return Response(json.dumps(body), status, content_type=JSON)

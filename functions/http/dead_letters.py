"""Dead letters: what could not become rows, looked through and put through again."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any, Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, operation
from functions._http.accept import preferred
from functions._http.continuation import Continuation
from functions._http.pagination import LINK, ContinuedPage, ContinuedQuery, continued_links
from functions.http.jobs import JobShown, shown
from shared import runtime
from shared.dead_letters.letter_query import moment_of
from shared.dead_letters.models import Letter, LetterKey, LettersWanted
from shared.ingest.models import Reason
from shared.jobs.kinds import REPLAY
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["Dead letters"]

_BYTES = "application/octet-stream"
_PAGES = Continuation("dead letters", LetterKey)
# Bodies are whatever somebody sent: never shown by a browser, never taken for something else.
_GUARDED = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store", "Vary": "Accept"}

StreamName = Literal["events", "readings"]
Topic = Annotated[str, Field(max_length=249, pattern=r"^[A-Za-z0-9._-]+$")]


class Filters(ApiModel):
    """Which dead letters; all of them where nothing is given. Times are when the broker took the message."""

    stream: StreamName | None = Field(None, description="Only those that came by a topic of this stream.")
    topic: Topic | None = Field(None, description="Only those that came by this topic.")
    reason: Reason | None = Field(None, description="Only those of this reason.")
    start_time: UtcTime | None = Field(None, description="Inclusive.")
    end_time: UtcTime | None = Field(None, description="Exclusive.")


class LettersQuery(ContinuedQuery, Filters):
    """Which part of the list."""


class ReplayWanted(Filters):
    """What to put through again."""

    dry_run: bool = Field(False, description="Only count what would become of them.")


class LetterPath(ApiModel):
    """Which dead letter."""

    id: Annotated[
        str, Field(max_length=512, pattern=r"^[A-Za-z0-9_-]+$", description="As the list gives it.")
    ]


class LetterShown(ApiModel):
    """A dead letter, without its body."""

    id: str
    topic: str
    partition: int
    sequence_number: int
    index: int = Field(description="The item of a packed message that it begins with; 0 for a whole message.")
    items: int = Field(description="How many JSON values the body holds.")
    reason: str
    detail: str | None
    ingestion_time: UtcTime = Field(description="When the broker took the message.")
    size: int = Field(description="Bytes of the body.")


class LetterListed(LetterShown):
    """A dead letter in a list."""

    preview: str = Field(description="How the body begins, as text; what cannot be shown is `·`.")


class LetterOpened(LetterShown):
    """A dead letter with its body."""

    body_base64: str


class LettersPage(ContinuedPage):
    """Dead letters, newest first."""

    dead_letters: list[LetterListed]


class ReplayStarted(ApiModel):
    """The replay that is at work now."""

    started: bool = Field(description="False where it was at work before; this request changed nothing then.")
    job: JobShown


def _fields(letter: Letter) -> dict[str, Any]:
    key = letter.key
    return {
        "id": key.id,
        "topic": key.topic,
        "partition": key.partition,
        "sequence_number": key.seq,
        "index": key.idx,
        "items": letter.items,
        "reason": letter.reason,
        "detail": letter.detail,
        "ingestion_time": moment_of(key.taken),
        "size": letter.size,
    }


def _preview(body: bytes) -> str:
    text = body.decode(errors="replace").replace("\ufffd", "·")
    return "".join(letter if letter.isprintable() else "·" for letter in text)


@operation(
    bp,
    "GET",
    "dead-letters",
    summary="Find dead letters",
    tags=TAGS,
    query=LettersQuery,
    response=Described("Dead letters, newest first", LettersPage, headers=LINK),
    errors=(503,),
    scope="dead-letters:read",
    open_locally=True,
    blocking=True,
)
def list_dead_letters(request: Request[LettersQuery]) -> Reply[LettersPage]:
    """Those in the buffer included, without bodies."""
    query = request.query
    wanted = LettersWanted(
        stream=query.stream,
        topic=query.topic,
        reason=query.reason,
        start=query.start_time,
        end=query.end_time,
    )
    found = runtime.dead_letters().page(wanted, _PAGES.position(query), query.limit + 1)
    letters = found[: query.limit]
    continuation = _PAGES.token(query, letters[-1].key) if len(found) > len(letters) else None
    listed = [LetterListed(**_fields(letter), preview=_preview(letter.body)) for letter in letters]
    page = LettersPage(count=len(listed), continuation=continuation, dead_letters=listed)
    return Reply(200, page, continued_links(request, continuation))


@operation(
    bp,
    "GET",
    "dead-letters/{id}",
    summary="One dead letter, with its bytes",
    tags=TAGS,
    path=LetterPath,
    response=LetterOpened,
    errors=(404, 503),
    scope="dead-letters:read",
    open_locally=True,
    blocking=True,
)
def get_dead_letter(request: Request[None, None, LetterPath]) -> Reply[Any]:
    """The body in base64; with `Accept: application/octet-stream` the body alone, as it came, to download."""
    letter = runtime.dead_letters().get(request.path.id)
    if preferred(request.headers.get("accept"), ("application/json", _BYTES)) == _BYTES:
        key = letter.key
        name = f"{key.topic}-{key.partition}-{key.seq}-{key.idx}.bin"
        attached = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Reply(200, letter.body, _GUARDED | attached, _BYTES)
    opened = LetterOpened(**_fields(letter), body_base64=b64encode(letter.body).decode())
    return Reply(200, opened, _GUARDED)


@operation(
    bp,
    "POST",
    "dead-letters/replay",
    summary="Put dead letters through again",
    tags=TAGS,
    body=ReplayWanted,
    body_required=False,
    body_examples={
        "what events had wrong times": {"stream": "events", "reason": "invalid_timestamp"},
        "only count": {"dry_run": True},
    },
    response=Described("The job, new or at work already", ReplayStarted),
    status=202,
    errors=(503,),
    scope="dead-letters:write",
    open_locally=True,
    blocking=True,
)
def replay_dead_letters(request: Request[None, ReplayWanted | None]) -> ReplayStarted:
    """Starts a job after a fix: what today's decoder takes becomes rows at the place in the stream that it
    would have had, once; the rest stays. One replay is at work at a time.
    """
    wanted = request.body or ReplayWanted.model_validate({})
    parameters = wanted.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    started = runtime.jobs().start(REPLAY, parameters)
    return ReplayStarted(started=started.new, job=shown(started.job))

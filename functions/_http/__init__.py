"""The HTTP platform: one decorator, `operation`, and what its declarations are made of.

    bp = func.Blueprint()

    @operation(bp, "GET", "api/things/{thing_id}", summary="One thing", path=ThingPath, response=Thing,
               scope="things:read")
    async def get_thing(request: Request[None, None, ThingPath]) -> Thing:
        return await runtime.things().get(request.path.thing_id)

The decorator returns the handler unchanged, so that tests can call it, and registers a native function that
authenticates, admits, validates, calls it and encodes what comes back. Errors are raised as the exceptions of
`shared.platform.errors` and written in the form of the family that the route belongs to.
"""

from functions._http.declaration import Described, Operation, RawBody
from functions._http.families import ANALYTICS, COLD_STORAGE, INGESTION, RESOURCES, TASKS, Family
from functions._http.messages import Principal, Reply, Request
from functions._http.operation import operation
from functions._http.parameters import ApiModel, CommaList, WholeNumber

__all__ = [
    "ANALYTICS",
    "COLD_STORAGE",
    "INGESTION",
    "RESOURCES",
    "TASKS",
    "ApiModel",
    "CommaList",
    "Described",
    "Family",
    "Operation",
    "Principal",
    "RawBody",
    "Reply",
    "Request",
    "WholeNumber",
    "operation",
]

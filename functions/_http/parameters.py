"""Path and query parameters, and how a failed validation reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import unquote_plus

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from shared.platform.errors import BadRequest

MAX_PROBLEMS = 20


class ApiModel(BaseModel):
    """Base of request and response models: unknown fields are ignored, NaN and infinity refused."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, populate_by_name=True)


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError("should be a whole number in decimal digits")
    return value


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# A whole number in a path or query; `1_000`, `1e3`, `10.0` and ` 10` are refused. Add Field(ge=…, le=…).
WholeNumber = Annotated[int, BeforeValidator(_digits)]
# A list in a query, comma-separated or as a repeated key (which the host joins with commas).
CommaList = Annotated[list[str], BeforeValidator(_split)]


def single_valued(model: type[BaseModel]) -> frozenset[str]:
    """The names, in lower case, of a query's parameters that take one value."""
    return frozenset(
        (field.alias or name).lower()
        for name, field in model.model_fields.items()
        if list not in (get_origin(one) for one in (field.annotation, *get_args(field.annotation)))
    )


def refuse_repeated(url: str, single: frozenset[str]) -> None:
    """Raises BadRequest where the query of `url` gives one of `single` more than once, in whatever case.

    The host joins what is repeated with commas, which for text would be a value that nobody meant.
    """
    query = url.partition("?")[2].partition("#")[0]
    if "&" not in query:
        return
    given = [unquote_plus(part.partition("=")[0]).lower() for part in query.split("&")]
    if len(set(given)) < len(given):
        twice = next((name for name, times in Counter(given).items() if times > 1 and name in single), None)
        if twice is not None:
            problem = {"field": twice, "issue": "is given more than once"}
            raise BadRequest(f"{twice}: is given more than once", details={**problem, "errors": [problem]})


def validated[M: BaseModel](model: type[M], values: Mapping[str, Any], noun: str = "parameter") -> M:
    """`values` as `model`; raises BadRequest naming the parameter at fault."""
    try:
        return model.__pydantic_validator__.validate_python(dict(values))  # type: ignore[no-any-return]
    except ValidationError as error:
        raise bad_request(error, noun) from None


def bad_request(error: ValidationError, noun: str) -> BadRequest:
    """The BadRequest that tells what is wrong with which `noun` (parameter or field), without the input."""
    problems = [_problem(one) for one in error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]]
    first = problems[0]
    missing = first["issue"] == "is required"
    message = (
        f"Missing required {noun}: {first['field']}" if missing else f"{first['field']}: {first['issue']}"
    )
    return BadRequest(message, details={**first, "errors": problems})


def _problem(problem: Any) -> dict[str, str]:
    where = ".".join(map(str, problem["loc"])) or "body"
    issue = "is required" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
    return {"field": where, "issue": issue}

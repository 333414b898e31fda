"""A little shop over HTTP: what the host's tests ask of routing, requests and responses."""

import asyncio
import json
import logging
import threading
from http.cookies import SimpleCookie

import azure.functions as func

app = func.FunctionApp()


def _json(content: object, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(content), status_code=status, mimetype="application/json")


def _seen(name: str, req: func.HttpRequest) -> func.HttpResponse:
    return _json({"function": name, "params": dict(req.route_params)})


@app.route("goods/{id}", methods=["GET"])
async def any_good(req: func.HttpRequest) -> func.HttpResponse:
    return _seen("any_good", req)


@app.route("goods/{id:int}", methods=["GET"])
async def numbered_good(req: func.HttpRequest) -> func.HttpResponse:
    return _seen("numbered_good", req)


@app.route("goods/new", methods=["GET"])
async def new_goods(req: func.HttpRequest) -> func.HttpResponse:
    return _seen("new_goods", req)


@app.route("goods/{id}", methods=["PUT"])
async def put_good(req: func.HttpRequest) -> func.HttpResponse:
    return _seen("put_good", req)


@app.route("goods/{*path}", methods=["GET"])
async def rest(req: func.HttpRequest) -> func.HttpResponse:
    return _seen("rest", req)


@app.route("echo", auth_level=func.AuthLevel.ADMIN)
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    return _json(
        {
            "method": req.method,
            "url": req.url,
            "headers": dict(req.headers),
            "query": dict(req.params),
            "body": req.get_body().decode(),
            "thread": threading.current_thread().name,
        }
    )


@app.route("size")
def size(req: func.HttpRequest) -> func.HttpResponse:
    return _json({"bytes": len(req.get_body()), "thread": threading.current_thread().name})


@app.route("headers")
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("", status_code=201)
    response.headers.add("X-Twice", "first")
    response.headers.add("X-Twice", "last")
    cookie = SimpleCookie({"basket": "two apples"})
    cookie["basket"]["httponly"] = True
    cookie["basket"]["max-age"] = 60
    response.headers.add("Set-Cookie", cookie.output(header="").strip())
    response.headers.add(
        "Set-Cookie", "seen=yes; Path=/; SameSite=Lax; Expires=Thu, 01 Jan 2026 00:00:00 GMT"
    )
    return response


@app.route("text")
async def text(req: func.HttpRequest) -> str:
    return "plain wörds"


@app.route("nothing")
async def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@app.route("broken")
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("till").warning("the till is stuck\nreally")
    raise ValueError("out of order")


@app.route("returns_none")
async def returns_none(req: func.HttpRequest) -> func.HttpResponse:
    return None  # type: ignore[return-value]


@app.route("slow")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.params["seconds"]))
    return _json("done")

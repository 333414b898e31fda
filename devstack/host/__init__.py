"""A local host for Python v2-model Functions apps, around Microsoft's own worker library.

`python -m devstack.host --app DIR --port N --kafka host:port` serves the app's HTTP functions and runs its
Event Hub, timer and queue triggers. Indexing, decorators, converters and encoding are those of
`azure-functions-runtime`; ours are only the listeners around it. The host knows nothing of the app it runs.

Deliberately not reproduced: authorization levels (every function answers, as with `func start`), the admin
API, the host's home page, streamed HTTP, scale-out.
"""

"""The index of the function app: every blueprint, and nothing else."""

import azure.functions as func

from functions.http import docs, fallback, health

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for module in (docs, health, fallback):
    app.register_functions(module.bp)

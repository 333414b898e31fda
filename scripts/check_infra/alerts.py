"""The alerts that matter are there, tell somebody, and have a page in the runbook; so has the budget."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import Finding

_LOGS = "Microsoft.Insights/scheduledQueryRules"
_METRICS = "Microsoft.Insights/metricAlerts"
_GROUP = "Microsoft.Insights/actionGroups"
_BUDGET = "Microsoft.Consumption/budgets"

WANTED = {
    _LOGS: {
        *("lag-grows", "dead-letters", "failed-flushes", "failed-landings", "failed-jobs", "failed-scans"),
        "server-errors",
    },
    _METRICS: {"no-data", "throttled"},
}
_METRIC_NAMES = {"IncomingMessages", "ThrottledRequests"}


def names(deployment: Deployment) -> set[str]:
    """The alerts' names, without what they all begin with."""
    (group,) = deployment.of(_GROUP)
    alerts = [*deployment.of(_LOGS), *deployment.of(_METRICS)]
    return {alert.name.removeprefix(f"{group.name}-") for alert in alerts}


def check(deployment: Deployment) -> Iterator[Finding]:
    """Alerts that are missing, tell nobody, or watch something else."""
    (group,) = deployment.of(_GROUP)
    told = [one.get("emailAddress") for one in group.properties.get("emailReceivers", [])]
    if told != deployment.parameters["alertEmails"] or group.properties.get("enabled") is not True:
        yield Finding(group.where, "does not tell the addresses of the parameters")
    for kind, wanted in WANTED.items():
        found = {alert.name.removeprefix(f"{group.name}-"): alert for alert in deployment.of(kind)}
        for missing in sorted(wanted - found.keys()):
            yield Finding("alerts", f"{missing} is missing")
        for name, alert in found.items():
            yield from _alert(deployment, name, alert, group.id)
    yield from _budget(deployment, group.id)


def _alert(deployment: Deployment, name: str, alert: Deployed, group: str) -> Iterator[Finding]:
    properties = alert.properties
    if name not in WANTED[alert.type]:
        yield Finding(alert.where, f"{name} is not among the alerts that this check knows")
    if f"docs/runbook.md in the repository#{name}." not in properties.get("description", ""):
        yield Finding(alert.where, "its description does not lead to its page in the runbook")
    on = deployment.parameters["expectsData"] if name == "no-data" else True
    if properties.get("enabled") is not on:
        yield Finding(alert.where, f"enabled is not {on}")
    watched, actions = (
        ("Microsoft.OperationalInsights/workspaces", {"actionGroups": [group]})
        if alert.type == _LOGS
        else ("Microsoft.EventHub/namespaces", [{"actionGroupId": group}])
    )
    if properties.get("scopes") != [one.id for one in deployment.of(watched)]:
        yield Finding(alert.where, f"does not watch the {watched.rpartition('/')[2]}")
    if properties.get("actions") != actions:
        yield Finding(alert.where, "does not tell the action group")
    for criterion in properties.get("criteria", {}).get("allOf", []):
        yield from _criterion(alert, criterion)


def _criterion(alert: Deployed, criterion: dict[str, object]) -> Iterator[Finding]:
    if alert.type == _METRICS:
        if criterion.get("metricName") not in _METRIC_NAMES:
            yield Finding(alert.where, f"there is no metric {criterion.get('metricName')}")
        return
    if " Success " in str(criterion.get("query")) and "Success == false" not in str(criterion.get("query")):
        yield Finding(alert.where, "its query counts what went well")
    column = str(criterion.get("metricMeasureColumn"))
    if f"{column} = " not in str(criterion.get("query")):
        yield Finding(alert.where, f"its query has no column {column}")


def _budget(deployment: Deployment, group: str) -> Iterator[Finding]:
    amount = deployment.parameters["monthlyBudget"]
    budgets = list(deployment.of(_BUDGET))
    if [budget.properties.get("amount") for budget in budgets] != ([amount] if amount else []):
        yield Finding("budget", "does not agree with the parameter monthlyBudget")
    for budget in budgets:
        notices = budget.properties.get("notifications", {}).values()
        if not notices or any(
            one.get("contactGroups") != [group] or not one.get("enabled") for one in notices
        ):
            yield Finding(budget.where, "does not tell the action group")

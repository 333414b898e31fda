"""Alerts and budgets that tell nobody, or of nothing."""

from __future__ import annotations

from tests.infra.mutations.model import ALERTS, BUDGET, HUBS, Mutation

ALERTING = (
    Mutation("an alert dropped", ALERTS, "name: 'failed-flushes'", "name: 'failed-flush'"),
    Mutation(
        "an alert that tells nobody",
        ALERTS,
        "actions: { actionGroups: [group.id] }",
        "actions: { actionGroups: [] }",
    ),
    Mutation(
        "an alert that is off",
        ALERTS,
        "severity: alert.severity\n      enabled: true",
        "severity: alert.severity\n      enabled: false",
    ),
    Mutation("an alert on a function that is not there", ALERTS, '"flush_buffers"', '"flush"'),
    Mutation("an alert on an event that nobody logs", ALERTS, '"job ended" and line', '"job over" and line'),
    Mutation("an alert on a line that nobody writes", ALERTS, "line.rows", "line.letters"),
    Mutation("an alert on another column", ALERTS, "column: 'Percent'", "column: 'Share'"),
    Mutation("an alert without its page", ALERTS, "${runbook}#no-data.", "${runbook}."),
    Mutation("an unknown metric", ALERTS, "metricName: 'ThrottledRequests'", "metricName: 'Throttled'"),
    Mutation("silence that is always told", ALERTS, "enabled: expectsData", "enabled: !expectsData"),
    Mutation("addresses forgotten", ALERTS, "emailAddress: email\n", "emailAddress: 'x@example.com'\n"),
    Mutation(
        "metrics that do not arrive",
        HUBS,
        "category: 'AllMetrics'\n        enabled: true",
        "category: 'AllMetrics'\n        enabled: false",
    ),
    Mutation(
        "a budget that tells nobody",
        BUDGET,
        "threshold: 80\n        thresholdType: 'Actual'\n        contactEmails: []\n"
        "        contactGroups: [actionGroupId]",
        "threshold: 80\n        thresholdType: 'Actual'\n        contactEmails: []\n"
        "        contactGroups: []",
    ),
    Mutation("another budget", BUDGET, "amount: amount", "amount: amount * 10"),
)

"""What the app would not run on, and what the code says otherwise."""

from __future__ import annotations

from tests.infra.mutations.model import APP, HUB, HUBS, MAIN, STORAGE, Mutation

HOSTING = (
    Mutation("another plan", APP, "name: 'FC1'", "name: 'Y1'"),
    Mutation("a plan for Windows", APP, "reserved: true", "reserved: false"),
    Mutation("another kind of app", APP, "kind: 'functionapp,linux'", "kind: 'functionapp'"),
    Mutation(
        "a forbidden setting",
        MAIN,
        "AzureWebJobsDisableHomepage: 'true'",
        "AzureWebJobsDisableHomepage: 'true'\n        FUNCTIONS_WORKER_RUNTIME: 'python'",
    ),
    Mutation(
        "a setting of other plans in the site",
        APP,
        "http20Enabled: true",
        "http20Enabled: true\n      alwaysOn: true",
    ),
    Mutation(
        "a package without a container", MAIN, "containers: [packageContainer]", "containers: ['packages']"
    ),
    Mutation(
        "a package read by key",
        APP,
        "type: 'UserAssignedIdentity'",
        "type: 'StorageAccountConnectionString'",
    ),
    Mutation("an app with an identity of its own", APP, "type: 'UserAssigned'\n", "type: 'SystemAssigned'\n"),
    Mutation("secrets read by nobody", APP, "    keyVaultReferenceIdentity: identityId\n", ""),
    Mutation(
        "the Basic tier", HUBS, "name: 'Standard'\n    tier: 'Standard'", "name: 'Basic'\n    tier: 'Basic'"
    ),
    Mutation(
        "a namespace that does not grow",
        HUBS,
        "isAutoInflateEnabled: maximumThroughputUnits > throughputUnits",
        "isAutoInflateEnabled: false",
    ),
    Mutation("consumer groups forgotten", HUBS, "consumerGroups: topic.consumerGroups", "consumerGroups: []"),
    Mutation(
        "retention forgotten",
        HUB,
        "retentionTimeInHours: retentionHours",
        "retentionTimeInHours: max(retentionHours, 169)",
    ),
    Mutation("azd does not find the app", APP, "'azd-service-name': 'api'", "'azd-service-name': 'app'"),
    Mutation("azd does not find the group", MAIN, "'azd-env-name'", "'azd-environment'"),
)

AGREEMENT = (
    Mutation("a topic is missing", "floe.json", '"sensor-data"', '"sensors-data"'),
    Mutation("a container is missing", "floe.json", '    "landing",\n', ""),
    Mutation("a table is missing", "floe.json", '    "revocations",\n', ""),
    Mutation("a queue too many", "floe.json", '"queues": [\n', '"queues": [\n    "old",\n'),
    Mutation("another runtime", "floe.json", '"version": "3.13"', '"version": "3.12"'),
    Mutation(
        "a schedule that is none",
        "floe.json",
        '"FLOE_FLUSH_SCHEDULE": "0 * * * * *"',
        '"FLOE_FLUSH_SCHEDULE": "* * * * * * *"',
    ),
    Mutation("a schedule is missing", MAIN, "      floe.schedules,\n", "      {},\n"),
    Mutation("a setting is missing", MAIN, "        FLOE_EVENTHUB_NAMESPACE: eventHubs.outputs.host\n", ""),
    Mutation("a setting misspelt", MAIN, "FLOE_STORAGE_ACCOUNT:", "FLOE_STORAGE_NAME:"),
    Mutation(
        "a setting of the wrong account",
        MAIN,
        "FLOE_STORAGE_ACCOUNT: dataStorage",
        "FLOE_STORAGE_ACCOUNT: hostStorage",
    ),
    Mutation("a setting with a wrong value", MAIN, "FLOE_AUTH: 'required'", "FLOE_AUTH: 'local'"),
    Mutation(
        "a setting that nobody reads",
        MAIN,
        "FLOE_AUTH: 'required'",
        "FLOE_AUTH: 'required'\n        FLOE_AUTHENTICATION: 'on'",
    ),
    Mutation(
        "a connection without an identity",
        MAIN,
        "        EventHubConnection__clientId: identity.outputs.clientId\n",
        "",
    ),
    Mutation("a secret that nobody stores", MAIN, "    adminKeySha256: adminKeySha256\n", ""),
    Mutation("a connection misspelt", MAIN, "FloeStorage__queueServiceUri", "FloeData__queueServiceUri"),
    Mutation(
        "a connection to the host's account",
        MAIN,
        "FloeStorage__queueServiceUri: dataStorage",
        "FloeStorage__queueServiceUri: hostStorage",
    ),
    Mutation("telemetry without an identity", MAIN, ";Authorization=AAD'", "'"),
    Mutation(
        "a secret in the open",
        MAIN,
        "'@Microsoft.KeyVault(SecretUri=${vault.outputs.adminKeyUri})'",
        "adminKeySha256",
    ),
    Mutation(
        "landing segments that grow cold",
        MAIN,
        "coolPrefixes: floe.rawPrefixes",
        "coolPrefixes: ['landing/']",
    ),
    Mutation(
        "data deleted by age",
        STORAGE,
        "tierToCool: { daysAfterModificationGreaterThan: coolAfterDays }",
        "delete: { daysAfterModificationGreaterThan: coolAfterDays }",
    ),
    Mutation(
        "files cooled before they are merged",
        STORAGE,
        "daysAfterModificationGreaterThan: coolAfterDays",
        "daysAfterModificationGreaterThan: min(coolAfterDays, 1)",
    ),
)

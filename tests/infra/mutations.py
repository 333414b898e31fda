"""Mistakes that the check has to find: each replaces one piece of text in one file of `infra/bicep`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake: `old` becomes `new`, once, in `file`."""

    what: str
    file: str
    old: str
    new: str


_MAIN = "main.bicep"
_STORAGE = "modules/storage-account.bicep"
_HUBS = "modules/event-hubs.bicep"
_HUB = "modules/event-hub.bicep"
_VAULT = "modules/key-vault.bicep"
_APP = "modules/function-app.bicep"
_ALERTS = "modules/alerts.bicep"
_NETWORK = "modules/network.bicep"
_ENDPOINT = "modules/private-endpoint.bicep"
_MONITORING = "modules/monitoring.bicep"
_PUBSUB = "modules/web-pubsub.bicep"
_BUDGET = "modules/budget.bicep"

LANGUAGE = (
    Mutation("a brace is missing", _MAIN, "  name: 'identity'\n", "  name: 'identity'\n}\n"),
    Mutation("a string does not end", _HUB, "'Delete'", "'Delete"),
    Mutation("an unknown type", _HUB, "param partitions int", "param partitions number"),
    Mutation("a dangling variable", _MAIN, "'id-floe-${token}'", "'id-floe-${tokn}'"),
    Mutation("a dangling resource", _HUB, "scope: hub\n", "scope: hubs\n"),
    Mutation(
        "a dangling module", _MAIN, "identityId: identity.outputs.id", "identityId: identities.outputs.id"
    ),
    Mutation(
        "an unknown output", _MAIN, "hostStorage.outputs.blobEndpoint\n", "hostStorage.outputs.blobUrl\n"
    ),
    Mutation("an unknown function", _MAIN, "uniqueString(", "uniqueText("),
    Mutation("an unknown input", _MAIN, "    sasClients: sasClients\n", "    sas: sasClients\n"),
    Mutation("an input is missing", _MAIN, "    runtime: floe.runtime\n", ""),
    Mutation("an undeclared parameter", "dev.bicepparam", "param partitions", "param partition"),
    Mutation("a required parameter is missing", "prod.bicepparam", "param environmentName", "param name"),
    Mutation(
        "an unused parameter",
        _HUB,
        "param send bool",
        "param send bool\n\n@description('Required. x')\nparam more bool",
    ),
    Mutation("an unused variable", _HUB, "var sender =", "var unused = 1\nvar sender ="),
    Mutation("a parameter is not described", _HUB, "@description('Required. Name of the topic.')\n", ""),
    Mutation(
        "a described kind is wrong", _HUB, "'Required. Name of the topic.'", "'Optional. Name of the topic.'"
    ),
    Mutation("an output is not described", _VAULT, "@description('Resource id of the vault.')\n", ""),
    Mutation("a module that is not there", _MAIN, "'modules/budget.bicep'", "'modules/budgets.bicep'"),
    Mutation(
        "a resource in the main file",
        _MAIN,
        "module group 'modules/resource-group.bicep' = {",
        "resource stray 'Microsoft.Resources/resourceGroups@2025-04-01' = {\n"
        "  name: 'stray'\n  location: location\n}\n\nmodule group 'modules/resource-group.bicep' = {",
    ),
    Mutation(
        "a circle",
        _MAIN,
        "var packageContainer = 'app-package'",
        "var packageContainer = '${first}'\nvar first = '${second}'\nvar second = '${first}'",
    ),
    Mutation(
        "a module that does not wait for its group",
        _MAIN,
        "  dependsOn: [group]\n  params: {\n    name: 'id-floe",
        "  params: {\n    name: 'id-floe",
    ),
    Mutation(
        "a name known too late", _MAIN, "name: 'endpoint-vault'", "name: 'endpoint-${vault.outputs.id}'"
    ),
    Mutation(
        "a condition known too late",
        _MAIN,
        "'modules/budget.bicep' = if (monthlyBudget > 0)",
        "'modules/budget.bicep' = if (!empty(app.outputs.name))",
    ),
    Mutation(
        "a loop over what is known too late",
        _MAIN,
        "for service in storageServices: if (privateNetworking) {\n    name: 'endpoint-host",
        "for service in [hostStorage.outputs.name]: if (privateNetworking) {\n    name: 'endpoint-host",
    ),
    Mutation(
        "an output of a module that is left out",
        _MAIN,
        "privateNetworking ? network!.outputs.appSubnetId : ''",
        "network!.outputs.appSubnetId",
    ),
    Mutation(
        "a module without its scope",
        _MAIN,
        "  name: 'data-storage'\n  scope: resourceGroup(groupName)\n",
        "  name: 'data-storage'\n",
    ),
    Mutation(
        "a parameter of another type", "dev.bicepparam", "param partitions = 2", "param partitions = '2'"
    ),
    Mutation(
        "a parameter out of its range", "prod.bicepparam", "param partitions = 16", "param partitions = 64"
    ),
    Mutation(
        "a secret is written out",
        "prod.bicepparam",
        "readEnvironmentVariable('ADMIN_KEY_SHA256', '')",
        "'5e884898da28047151d0e56f8dc62927'",
    ),
    Mutation(
        "a secret in an output",
        _VAULT,
        "'${vault.properties.vaultUri}secrets",
        "'${adminKeySha256}${vault.properties.vaultUri}secrets",
    ),
    Mutation(
        "a secret that is none in between", _MAIN, "@secure()\nparam adminKeySha256", "param adminKeySha256"
    ),
    Mutation(
        "a secret with a default",
        _VAULT,
        "param adminKeySha256 string = ''",
        "param adminKeySha256 string = 'abc'",
    ),
)

SCHEMA = (
    Mutation("a property misspelt", _STORAGE, "allowSharedKeyAccess:", "allowSharedKeysAccess:"),
    Mutation("a property misspelt in an alert", _ALERTS, "metricMeasureColumn:", "measureColumn:"),
    Mutation(
        "a property misspelt deep inside",
        _APP,
        "instanceMemoryMB: instanceMemoryMB",
        "instanceMemoryMb: instanceMemoryMB",
    ),
    Mutation(
        "a property misspelt in the network",
        _NETWORK,
        "privateEndpointNetworkPolicies",
        "privateEndpointPolicies",
    ),
    Mutation("a wrong value", _STORAGE, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: '1.2'"),
    Mutation("a wrong value of the vault", _VAULT, "name: 'standard'", "name: 'basic'"),
    Mutation("a wrong value of a criterion", _ALERTS, "operator: 'LessThan'", "operator: 'Less'"),
    Mutation(
        "a wrong window",
        _ALERTS,
        "window: 'PT30M'\n    column: 'Behind'",
        "window: 'PT25M'\n    column: 'Behind'",
    ),
    Mutation("a wrong budget", _BUDGET, "timeGrain: 'Monthly'", "timeGrain: 'Month'"),
    Mutation("a wrong request type", _PUBSUB, "'RESTAPI'", "'RestApi'"),
    Mutation("a required property is missing", _ALERTS, "    groupShortName: 'floe'\n", ""),
    Mutation("a required property of the vault is missing", _VAULT, "    tenantId: tenant().tenantId\n", ""),
    Mutation(
        "text where a number belongs", _HUB, "partitionCount: partitions", "partitionCount: '${partitions}'"
    ),
    Mutation("one where a list belongs", _ENDPOINT, "groupIds: [groupId]", "groupIds: groupId"),
    Mutation(
        "a read-only property is set",
        _HUBS,
        "    minimumTlsVersion: '1.2'\n",
        "    minimumTlsVersion: '1.2'\n    status: 'Active'\n",
    ),
    Mutation("an unknown API version", _HUB, "eventhubs@2024-01-01", "eventhubs@2024-13-01"),
    Mutation(
        "an unknown resource type",
        _HUB,
        "'Microsoft.EventHub/namespaces/eventhubs/consumergroups@",
        "'Microsoft.EventHub/namespaces/eventhubs/groups@",
    ),
    Mutation(
        "a property that nobody fills in",
        "modules/identity.bicep",
        "identity.properties.clientId",
        "identity.properties.appId",
    ),
    Mutation(
        "a wrong parent",
        _STORAGE,
        "queues@2025-01-01' = [\n  for queue in queues: {\n    parent: queueService",
        "queues@2025-01-01' = [\n  for queue in queues: {\n    parent: blobService",
    ),
    Mutation("a child without its parent", _HUB, "  parent: namespace\n  name: name\n", "  name: name\n"),
    Mutation("too long a name", _MAIN, "'stfloedata${token}'", "'stfloedatastore${token}'"),
    Mutation("a name of forbidden characters", _MAIN, "'stfloehost${token}'", "'st-floe-host${token}'"),
    Mutation(
        "a name that another resource has",
        _MAIN,
        "'pe-floe-data-${service}-${token}'",
        "'pe-floe-host-${service}-${token}'",
    ),
    Mutation("too long a name of the app", _MAIN, "'func-floe-${token}'", "'function-app-of-floe-${token}'"),
)

SECURITY = (
    Mutation("account keys", _STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    Mutation("public blobs", _STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    Mutation("a public container", _STORAGE, "publicAccess: 'None'", "publicAccess: 'Blob'"),
    Mutation("old TLS at the namespace", _HUBS, "minimumTlsVersion: '1.2'", "minimumTlsVersion: '1.0'"),
    Mutation(
        "no soft delete of blobs",
        _STORAGE,
        "deleteRetentionPolicy: {\n      enabled: true",
        "deleteRetentionPolicy: {\n      enabled: false",
    ),
    Mutation("keys of the namespace", _HUBS, "disableLocalAuth: !sasClients", "disableLocalAuth: false"),
    Mutation("clients that may listen", _HUBS, "rights: ['Send']", "rights: ['Send', 'Listen']"),
    Mutation(
        "a vault with access policies",
        _VAULT,
        "enableRbacAuthorization: true",
        "enableRbacAuthorization: false",
    ),
    Mutation("plain HTTP", _APP, "httpsOnly: true", "httpsOnly: false"),
    Mutation(
        "publishing passwords",
        _APP,
        "name: 'scm'\n  properties: { allow: false }",
        "name: 'scm'\n  properties: { allow: true }",
    ),
    Mutation("keys of Web PubSub", _PUBSUB, "disableLocalAuth: true", "disableLocalAuth: false"),
    Mutation("telemetry by key", _MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false"),
    Mutation("no audit log", _VAULT, "categoryGroup: 'audit'", "categoryGroup: 'allLogs'"),
    Mutation(
        "a public endpoint",
        _VAULT,
        "publicNetworkAccess: private ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
    ),
    Mutation(
        "a public storage account",
        _STORAGE,
        "publicNetworkAccess: private ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
    ),
    Mutation("an endpoint is missing", _MAIN, "['blob', 'queue', 'table']", "['blob', 'queue']"),
    Mutation("a wrong DNS zone", _MAIN, "'privatelink.vaultcore.azure.net'", "'privatelink.vault.azure.net'"),
    Mutation("no link to the network", _NETWORK, "parent: zones[i]", "parent: zones[0]"),
    Mutation(
        "a subnet without delegation", _NETWORK, "'Microsoft.App/environments'", "'Microsoft.Web/serverFarms'"
    ),
    Mutation(
        "an endpoint in the app's subnet",
        _NETWORK,
        "'${network.id}/subnets/endpoints'",
        "'${network.id}/subnets/app'",
    ),
    Mutation(
        "an app outside of the network",
        _APP,
        "    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId\n",
        "    virtualNetworkSubnetId: empty(subnetId) ? subnetId : null\n",
    ),
    Mutation(
        "one zone",
        _STORAGE,
        "zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'",
        "zoneRedundant ? 'Standard_LRS' : 'Standard_LRS'",
    ),
    Mutation(
        "the plan in one zone", _APP, "zoneRedundant: zoneRedundant", "zoneRedundant: false && zoneRedundant"
    ),
)

ROLES = (
    Mutation(
        "a role dropped",
        _HUB,
        "resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
        "resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!send) {",
    ),
    Mutation(
        "a role too many",
        _HUB,
        "roleAssignments@2022-04-01' = if (send) {",
        "roleAssignments@2022-04-01' = if (send || !send) {",
    ),
    Mutation(
        "a wrong role id",
        "roles.json",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb89",
    ),
    Mutation(
        "a wider role", _STORAGE, "roles['Storage Blob Data Contributor']", "roles['Storage Blob Data Owner']"
    ),
    Mutation("a wider scope", _STORAGE, "    scope: storageTables[i]\n", "    scope: account\n"),
    Mutation(
        "a role of another kind of principal",
        _VAULT,
        "principalType: 'ServicePrincipal'",
        "principalType: 'User'",
    ),
    Mutation(
        "a role under a name that is not its own",
        _HUB,
        "guid(hub.id, principalId, sender)",
        "guid(hub.id, sender)",
    ),
    Mutation(
        "a role for the client id, which is no principal",
        _MAIN,
        "    name: 'wps-floe-${token}'\n    location: location\n    tags: tags\n"
        "    principalId: identity.outputs.principalId",
        "    name: 'wps-floe-${token}'\n    location: location\n    tags: tags\n"
        "    principalId: identity.outputs.clientId",
    ),
    Mutation(
        "the host may do too much",
        _MAIN,
        "accountRoles: ['Storage Blob Data Owner', ",
        "accountRoles: ['Storage Queue Data Contributor', 'Storage Blob Data Owner', ",
    ),
)

HOSTING = (
    Mutation("another plan", _APP, "name: 'FC1'", "name: 'Y1'"),
    Mutation("a plan for Windows", _APP, "reserved: true", "reserved: false"),
    Mutation("another kind of app", _APP, "kind: 'functionapp,linux'", "kind: 'functionapp'"),
    Mutation(
        "a forbidden setting",
        _MAIN,
        "AzureWebJobsDisableHomepage: 'true'",
        "AzureWebJobsDisableHomepage: 'true'\n        FUNCTIONS_WORKER_RUNTIME: 'python'",
    ),
    Mutation(
        "a setting of other plans in the site",
        _APP,
        "http20Enabled: true",
        "http20Enabled: true\n      alwaysOn: true",
    ),
    Mutation(
        "a package without a container", _MAIN, "containers: [packageContainer]", "containers: ['packages']"
    ),
    Mutation(
        "a package read by key",
        _APP,
        "type: 'UserAssignedIdentity'",
        "type: 'StorageAccountConnectionString'",
    ),
    Mutation(
        "an app with an identity of its own", _APP, "type: 'UserAssigned'\n", "type: 'SystemAssigned'\n"
    ),
    Mutation("secrets read by nobody", _APP, "    keyVaultReferenceIdentity: identityId\n", ""),
    Mutation(
        "the Basic tier", _HUBS, "name: 'Standard'\n    tier: 'Standard'", "name: 'Basic'\n    tier: 'Basic'"
    ),
    Mutation(
        "a namespace that does not grow",
        _HUBS,
        "isAutoInflateEnabled: maximumThroughputUnits > throughputUnits",
        "isAutoInflateEnabled: false",
    ),
    Mutation(
        "consumer groups forgotten", _HUBS, "consumerGroups: topic.consumerGroups", "consumerGroups: []"
    ),
    Mutation(
        "retention forgotten",
        _HUB,
        "retentionTimeInHours: retentionHours",
        "retentionTimeInHours: max(retentionHours, 169)",
    ),
    Mutation("azd does not find the app", _APP, "'azd-service-name': 'api'", "'azd-service-name': 'app'"),
    Mutation("azd does not find the group", _MAIN, "'azd-env-name'", "'azd-environment'"),
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
    Mutation("a schedule is missing", _MAIN, "      floe.schedules,\n", "      {},\n"),
    Mutation("a setting is missing", _MAIN, "        FLOE_EVENTHUB_NAMESPACE: eventHubs.outputs.host\n", ""),
    Mutation("a setting misspelt", _MAIN, "FLOE_STORAGE_ACCOUNT:", "FLOE_STORAGE_NAME:"),
    Mutation(
        "a setting of the wrong account",
        _MAIN,
        "FLOE_STORAGE_ACCOUNT: dataStorage",
        "FLOE_STORAGE_ACCOUNT: hostStorage",
    ),
    Mutation("a setting with a wrong value", _MAIN, "FLOE_AUTH: 'required'", "FLOE_AUTH: 'local'"),
    Mutation(
        "a setting that nobody reads",
        _MAIN,
        "FLOE_AUTH: 'required'",
        "FLOE_AUTH: 'required'\n        FLOE_AUTHENTICATION: 'on'",
    ),
    Mutation(
        "a connection without an identity",
        _MAIN,
        "        EventHubConnection__clientId: identity.outputs.clientId\n",
        "",
    ),
    Mutation("a secret that nobody stores", _MAIN, "    adminKeySha256: adminKeySha256\n", ""),
    Mutation("a connection misspelt", _MAIN, "FloeStorage__queueServiceUri", "FloeData__queueServiceUri"),
    Mutation(
        "a connection to the host's account",
        _MAIN,
        "FloeStorage__queueServiceUri: dataStorage",
        "FloeStorage__queueServiceUri: hostStorage",
    ),
    Mutation("telemetry without an identity", _MAIN, ";Authorization=AAD'", "'"),
    Mutation(
        "a secret in the open",
        _MAIN,
        "'@Microsoft.KeyVault(SecretUri=${vault.outputs.adminKeyUri})'",
        "adminKeySha256",
    ),
    Mutation(
        "landing segments that grow cold",
        _MAIN,
        "coolPrefixes: floe.rawPrefixes",
        "coolPrefixes: ['landing/']",
    ),
    Mutation(
        "data deleted by age",
        _STORAGE,
        "tierToCool: { daysAfterModificationGreaterThan: coolAfterDays }",
        "delete: { daysAfterModificationGreaterThan: coolAfterDays }",
    ),
    Mutation(
        "files cooled before they are merged",
        _STORAGE,
        "daysAfterModificationGreaterThan: coolAfterDays",
        "daysAfterModificationGreaterThan: min(coolAfterDays, 1)",
    ),
)

ALERTS = (
    Mutation("an alert dropped", _ALERTS, "name: 'failed-flushes'", "name: 'failed-flush'"),
    Mutation(
        "an alert that tells nobody",
        _ALERTS,
        "actions: { actionGroups: [group.id] }",
        "actions: { actionGroups: [] }",
    ),
    Mutation(
        "an alert that is off",
        _ALERTS,
        "severity: alert.severity\n      enabled: true",
        "severity: alert.severity\n      enabled: false",
    ),
    Mutation("an alert on a function that is not there", _ALERTS, '"flush_buffers"', '"flush"'),
    Mutation("an alert on an event that nobody logs", _ALERTS, '"job ended" and line', '"job over" and line'),
    Mutation("an alert on a line that nobody writes", _ALERTS, "line.rows", "line.letters"),
    Mutation("an alert on another column", _ALERTS, "column: 'Percent'", "column: 'Share'"),
    Mutation("an alert without its page", _ALERTS, "${runbook}#no-data.", "${runbook}."),
    Mutation("an unknown metric", _ALERTS, "metricName: 'ThrottledRequests'", "metricName: 'Throttled'"),
    Mutation("silence that is always told", _ALERTS, "enabled: expectsData", "enabled: !expectsData"),
    Mutation("addresses forgotten", _ALERTS, "emailAddress: email\n", "emailAddress: 'x@example.com'\n"),
    Mutation(
        "metrics that do not arrive",
        _HUBS,
        "category: 'AllMetrics'\n        enabled: true",
        "category: 'AllMetrics'\n        enabled: false",
    ),
    Mutation(
        "a budget that tells nobody",
        _BUDGET,
        "threshold: 80\n        thresholdType: 'Actual'\n        contactEmails: []\n"
        "        contactGroups: [actionGroupId]",
        "threshold: 80\n        thresholdType: 'Actual'\n        contactEmails: []\n"
        "        contactGroups: []",
    ),
    Mutation("another budget", _BUDGET, "amount: amount", "amount: amount * 10"),
)

MUTATIONS = (*LANGUAGE, *SCHEMA, *SECURITY, *ROLES, *HOSTING, *AGREEMENT, *ALERTS)

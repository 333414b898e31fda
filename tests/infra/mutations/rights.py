"""What is too open, and roles that are too much or too little."""

from __future__ import annotations

from tests.infra.mutations.model import (
    APP,
    HUB,
    HUBS,
    MAIN,
    MONITORING,
    NETWORK,
    PUBSUB,
    STORAGE,
    VAULT,
    Mutation,
)

SECURITY = (
    Mutation("account keys", STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    Mutation("public blobs", STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    Mutation("a public container", STORAGE, "publicAccess: 'None'", "publicAccess: 'Blob'"),
    Mutation("old TLS at the namespace", HUBS, "minimumTlsVersion: '1.2'", "minimumTlsVersion: '1.0'"),
    Mutation(
        "no soft delete of blobs",
        STORAGE,
        "deleteRetentionPolicy: {\n      enabled: true",
        "deleteRetentionPolicy: {\n      enabled: false",
    ),
    Mutation("keys of the namespace", HUBS, "disableLocalAuth: !sasClients", "disableLocalAuth: false"),
    Mutation("clients that may listen", HUBS, "rights: ['Send']", "rights: ['Send', 'Listen']"),
    Mutation(
        "a vault with access policies",
        VAULT,
        "enableRbacAuthorization: true",
        "enableRbacAuthorization: false",
    ),
    Mutation("plain HTTP", APP, "httpsOnly: true", "httpsOnly: false"),
    Mutation(
        "publishing passwords",
        APP,
        "name: 'scm'\n  properties: { allow: false }",
        "name: 'scm'\n  properties: { allow: true }",
    ),
    Mutation("keys of Web PubSub", PUBSUB, "disableLocalAuth: true", "disableLocalAuth: false"),
    Mutation("telemetry by key", MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false"),
    Mutation("no audit log", VAULT, "categoryGroup: 'audit'", "categoryGroup: 'allLogs'"),
    Mutation(
        "a public endpoint",
        VAULT,
        "publicNetworkAccess: private ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
    ),
    Mutation(
        "a public storage account",
        STORAGE,
        "publicNetworkAccess: private ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
    ),
    Mutation("an endpoint is missing", MAIN, "['blob', 'queue', 'table']", "['blob', 'queue']"),
    Mutation("a wrong DNS zone", MAIN, "'privatelink.vaultcore.azure.net'", "'privatelink.vault.azure.net'"),
    Mutation("no link to the network", NETWORK, "parent: zones[i]", "parent: zones[0]"),
    Mutation(
        "a subnet without delegation", NETWORK, "'Microsoft.App/environments'", "'Microsoft.Web/serverFarms'"
    ),
    Mutation(
        "an endpoint in the app's subnet",
        NETWORK,
        "'${network.id}/subnets/endpoints'",
        "'${network.id}/subnets/app'",
    ),
    Mutation(
        "an app outside of the network",
        APP,
        "    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId\n",
        "    virtualNetworkSubnetId: empty(subnetId) ? subnetId : null\n",
    ),
    Mutation(
        "one zone",
        STORAGE,
        "zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'",
        "zoneRedundant ? 'Standard_LRS' : 'Standard_LRS'",
    ),
    Mutation(
        "the plan in one zone", APP, "zoneRedundant: zoneRedundant", "zoneRedundant: false && zoneRedundant"
    ),
)

ROLES = (
    Mutation(
        "a role dropped",
        HUB,
        "resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
        "resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!send) {",
    ),
    Mutation(
        "a role too many",
        HUB,
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
        "a wider role", STORAGE, "roles['Storage Blob Data Contributor']", "roles['Storage Blob Data Owner']"
    ),
    Mutation("a wider scope", STORAGE, "    scope: storageTables[i]\n", "    scope: account\n"),
    Mutation(
        "a role of another kind of principal",
        VAULT,
        "principalType: 'ServicePrincipal'",
        "principalType: 'User'",
    ),
    Mutation(
        "a role under a name that is not its own",
        HUB,
        "guid(hub.id, principalId, sender)",
        "guid(hub.id, sender)",
    ),
    Mutation(
        "a role for the client id, which is no principal",
        MAIN,
        "    name: 'wps-floe-${token}'\n    location: location\n    tags: tags\n"
        "    principalId: identity.outputs.principalId",
        "    name: 'wps-floe-${token}'\n    location: location\n    tags: tags\n"
        "    principalId: identity.outputs.clientId",
    ),
    Mutation(
        "the host may do too much",
        MAIN,
        "accountRoles: ['Storage Blob Data Owner', ",
        "accountRoles: ['Storage Queue Data Contributor', 'Storage Blob Data Owner', ",
    ),
)

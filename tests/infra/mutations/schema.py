"""What Azure's schemas refuse."""

from __future__ import annotations

from tests.infra.mutations.model import (
    ALERTS,
    APP,
    BUDGET,
    ENDPOINT,
    HUB,
    HUBS,
    MAIN,
    NETWORK,
    PUBSUB,
    STORAGE,
    VAULT,
    Mutation,
)

SCHEMA = (
    Mutation("a property misspelt", STORAGE, "allowSharedKeyAccess:", "allowSharedKeysAccess:"),
    Mutation("a property misspelt in an alert", ALERTS, "metricMeasureColumn:", "measureColumn:"),
    Mutation(
        "a property misspelt deep inside",
        APP,
        "instanceMemoryMB: instanceMemoryMB",
        "instanceMemoryMb: instanceMemoryMB",
    ),
    Mutation(
        "a property misspelt in the network",
        NETWORK,
        "privateEndpointNetworkPolicies",
        "privateEndpointPolicies",
    ),
    Mutation("a wrong value", STORAGE, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: '1.2'"),
    Mutation("a wrong value of the vault", VAULT, "name: 'standard'", "name: 'basic'"),
    Mutation("a wrong value of a criterion", ALERTS, "operator: 'LessThan'", "operator: 'Less'"),
    Mutation(
        "a wrong window",
        ALERTS,
        "window: 'PT30M'\n    column: 'Behind'",
        "window: 'PT25M'\n    column: 'Behind'",
    ),
    Mutation("a wrong budget", BUDGET, "timeGrain: 'Monthly'", "timeGrain: 'Month'"),
    Mutation("a wrong request type", PUBSUB, "'RESTAPI'", "'RestApi'"),
    Mutation("a required property is missing", ALERTS, "    groupShortName: 'floe'\n", ""),
    Mutation("a required property of the vault is missing", VAULT, "    tenantId: tenant().tenantId\n", ""),
    Mutation(
        "text where a number belongs", HUB, "partitionCount: partitions", "partitionCount: '${partitions}'"
    ),
    Mutation("one where a list belongs", ENDPOINT, "groupIds: [groupId]", "groupIds: groupId"),
    Mutation(
        "a read-only property is set",
        HUBS,
        "    minimumTlsVersion: '1.2'\n",
        "    minimumTlsVersion: '1.2'\n    status: 'Active'\n",
    ),
    Mutation("an unknown API version", HUB, "eventhubs@2024-01-01", "eventhubs@2024-13-01"),
    Mutation(
        "an unknown resource type",
        HUB,
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
        STORAGE,
        "queues@2025-01-01' = [\n  for queue in queues: {\n    parent: queueService",
        "queues@2025-01-01' = [\n  for queue in queues: {\n    parent: blobService",
    ),
    Mutation("a child without its parent", HUB, "  parent: namespace\n  name: name\n", "  name: name\n"),
    Mutation("too long a name", MAIN, "'stfloedata${token}'", "'stfloedatastore${token}'"),
    Mutation("a name of forbidden characters", MAIN, "'stfloehost${token}'", "'st-floe-host${token}'"),
    Mutation(
        "a name that another resource has",
        MAIN,
        "'pe-floe-data-${service}-${token}'",
        "'pe-floe-host-${service}-${token}'",
    ),
    Mutation("too long a name of the app", MAIN, "'func-floe-${token}'", "'function-app-of-floe-${token}'"),
)

"""Mistakes of the language: what does not parse, is not declared or not used."""

from __future__ import annotations

from tests.infra.mutations.model import HUB, MAIN, VAULT, Mutation

LANGUAGE = (
    Mutation("a brace is missing", MAIN, "  name: 'identity'\n", "  name: 'identity'\n}\n"),
    Mutation("a string does not end", HUB, "'Delete'", "'Delete"),
    Mutation("an unknown type", HUB, "param partitions int", "param partitions number"),
    Mutation("a dangling variable", MAIN, "'id-floe-${token}'", "'id-floe-${tokn}'"),
    Mutation("a dangling resource", HUB, "scope: hub\n", "scope: hubs\n"),
    Mutation(
        "a dangling module", MAIN, "identityId: identity.outputs.id", "identityId: identities.outputs.id"
    ),
    Mutation(
        "an unknown output", MAIN, "hostStorage.outputs.blobEndpoint\n", "hostStorage.outputs.blobUrl\n"
    ),
    Mutation("an unknown function", MAIN, "uniqueString(", "uniqueText("),
    Mutation("an unknown input", MAIN, "    sasClients: sasClients\n", "    sas: sasClients\n"),
    Mutation("an input is missing", MAIN, "    runtime: floe.runtime\n", ""),
    Mutation("an undeclared parameter", "dev.bicepparam", "param partitions", "param partition"),
    Mutation("a required parameter is missing", "prod.bicepparam", "param environmentName", "param name"),
    Mutation(
        "an unused parameter",
        HUB,
        "param send bool",
        "param send bool\n\n@description('Required. x')\nparam more bool",
    ),
    Mutation("an unused variable", HUB, "var sender =", "var unused = 1\nvar sender ="),
    Mutation("a parameter is not described", HUB, "@description('Required. Name of the topic.')\n", ""),
    Mutation(
        "a described kind is wrong", HUB, "'Required. Name of the topic.'", "'Optional. Name of the topic.'"
    ),
    Mutation("an output is not described", VAULT, "@description('Resource id of the vault.')\n", ""),
    Mutation("a module that is not there", MAIN, "'modules/budget.bicep'", "'modules/budgets.bicep'"),
    Mutation(
        "a resource in the main file",
        MAIN,
        "module group 'modules/resource-group.bicep' = {",
        "resource stray 'Microsoft.Resources/resourceGroups@2025-04-01' = {\n"
        "  name: 'stray'\n  location: location\n}\n\nmodule group 'modules/resource-group.bicep' = {",
    ),
    Mutation(
        "a circle",
        MAIN,
        "var packageContainer = 'app-package'",
        "var packageContainer = '${first}'\nvar first = '${second}'\nvar second = '${first}'",
    ),
    Mutation(
        "a module that does not wait for its group",
        MAIN,
        "  dependsOn: [group]\n  params: {\n    name: 'id-floe",
        "  params: {\n    name: 'id-floe",
    ),
    Mutation("a name known too late", MAIN, "name: 'endpoint-vault'", "name: 'endpoint-${vault.outputs.id}'"),
    Mutation(
        "a condition known too late",
        MAIN,
        "'modules/budget.bicep' = if (monthlyBudget > 0)",
        "'modules/budget.bicep' = if (!empty(app.outputs.name))",
    ),
    Mutation(
        "a loop over what is known too late",
        MAIN,
        "for service in storageServices: if (privateNetworking) {\n    name: 'endpoint-host",
        "for service in [hostStorage.outputs.name]: if (privateNetworking) {\n    name: 'endpoint-host",
    ),
    Mutation(
        "an output of a module that is left out",
        MAIN,
        "privateNetworking ? network!.outputs.appSubnetId : ''",
        "network!.outputs.appSubnetId",
    ),
    Mutation(
        "a module without its scope",
        MAIN,
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
        VAULT,
        "'${vault.properties.vaultUri}secrets",
        "'${adminKeySha256}${vault.properties.vaultUri}secrets",
    ),
    Mutation(
        "a secret that is none in between", MAIN, "@secure()\nparam adminKeySha256", "param adminKeySha256"
    ),
    Mutation(
        "a secret with a default",
        VAULT,
        "param adminKeySha256 string = ''",
        "param adminKeySha256 string = 'abc'",
    ),
)

// Floe on Azure. This file only puts modules together; what they make stands in modules/.
targetScope = 'subscription'

@description('Required. Name of the environment, such as dev or prod; part of the resource group\'s name.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Required. Azure region; it must offer Flex Consumption.')
param location string

@description('Optional. Tags of every resource, beside the environment\'s own.')
param extraTags object = {}

@description('Optional. SHA-256, in hex, of the first administrator\'s API key; empty: keys are made with `make key`.')
@secure()
param adminKeySha256 string = ''

@description('Optional. Settings of Floe that differ from their defaults, name to value; see docs/settings.md.')
param floeSettings object = {}

@description('Optional. Partitions of each topic. The Standard tier cannot change them afterwards.')
@minValue(1)
@maxValue(32)
param partitions int = 4

@description('Optional. Hours that topics keep messages: how long landing may stand still without loss.')
@minValue(1)
@maxValue(168)
param retentionHours int = 168

@description('Optional. Consumer groups of each topic for readers other than Floe.')
@maxLength(19)
param consumerGroups string[] = []

@description('Optional. What differs for single topics: name to { partitions, retentionHours, consumerGroups }.')
param topicOverrides object = {}

@description('Optional. Throughput units of the namespace.')
@minValue(1)
@maxValue(40)
param throughputUnits int = 1

@description('Optional. Units that the namespace may grow to by itself.')
@minValue(1)
@maxValue(40)
param maximumThroughputUnits int = 4

@description('Optional. Whether Kafka clients outside the directory may send with a shared access signature.')
param sasClients bool = false

@description('Optional. Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. Most instances at once.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Optional. Instances that stand ready for HTTP requests.')
@minValue(0)
param alwaysReadyHttp int = 0

@description('Optional. Whether storage, namespace and app are spread over zones.')
param zoneRedundant bool = false

@description('Optional. Whether the app reaches everything by private endpoints, and nothing else answers.')
param privateNetworking bool = false

@description('Optional. Address range of the network, in CIDR notation, /23 or larger.')
param addressPrefix string = '10.64.0.0/23'

@description('Optional. Whether there is a Web PubSub service for WebSockets.')
param webPubSub bool = false

@description('Optional. Its units of the Standard tier; 0 for the free one, which takes no private endpoint.')
@allowed([0, 1, 2, 5, 10, 20, 50, 100])
param webPubSubUnits int = 1

@description('Optional. Days that deleted blobs, containers and secrets can be brought back.')
@minValue(7)
@maxValue(90)
param softDeleteDays int = 7

@description('Optional. After how many days raw files that were never merged go to the cool tier.')
@minValue(31)
param coolAfterDays int = 90

@description('Optional. Whether nobody can purge the deleted vault. It cannot be turned off again.')
param purgeProtection bool = true

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Optional. Most gigabytes of logs in a day; -1 for no bound.')
param logDailyQuotaGb int = 5

@description('Optional. E-mail addresses that alerts and the budget tell; none: nobody is told.')
param alertEmails string[] = []

@description('Optional. Whether an hour without data is worth an alert.')
param expectsData bool = false

@description('Optional. Thresholds of alerts that differ from their defaults.')
param alertThresholds object = {}

@description('Optional. What the resource group may cost in a month, in the billing currency; 0: no budget.')
@minValue(0)
param monthlyBudget int = 0

var floe = loadJsonContent('floe.json')
var token = uniqueString(subscription().id, environmentName, location)
var tags = union(extraTags, { 'azd-env-name': environmentName })
var groupName = 'rg-floe-${environmentName}'
var packageContainer = 'app-package'
var topics = [
  for topic in floe.topics: union(
    {
      name: topic.name
      send: topic.send
      partitions: partitions
      retentionHours: retentionHours
      consumerGroups: consumerGroups
    },
    contains(topicOverrides, topic.name) ? topicOverrides[topic.name] : {}
  )
]
var thresholds = union(
  {
    lagMessages: 100000
    deadLetters: 100
    failedFlushes: 3
    failedLandings: 10
    failedJobs: 0
    failedScans: 5
    serverErrorPercent: 5
  },
  alertThresholds
)
var storageServices = ['blob', 'queue', 'table']
var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  namespace: 'privatelink.servicebus.windows.net'
  vault: 'privatelink.vaultcore.azure.net'
  webpubsub: 'privatelink.webpubsub.azure.com'
}

module group 'modules/resource-group.bicep' = {
  name: 'resource-group'
  params: {
    name: groupName
    location: location
    tags: tags
  }
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: resourceGroup(groupName)
  dependsOn: [group]
  params: {
    name: 'id-floe-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: resourceGroup(groupName)
  params: {
    workspaceName: 'log-floe-${token}'
    insightsName: 'appi-floe-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    retentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: resourceGroup(groupName)
  dependsOn: [group]
  params: {
    name: 'vnet-floe-${token}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    zoneNames: map(items(zones), zone => zone.value)
  }
}

module hostStorage 'modules/storage-account.bicep' = {
  name: 'host-storage'
  scope: resourceGroup(groupName)
  params: {
    name: 'stfloehost${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    zoneRedundant: zoneRedundant
    private: privateNetworking
    containers: [packageContainer]
    accountRoles: ['Storage Blob Data Owner', 'Storage Table Data Contributor']
    softDeleteDays: softDeleteDays
  }
}

module dataStorage 'modules/storage-account.bicep' = {
  name: 'data-storage'
  scope: resourceGroup(groupName)
  params: {
    name: 'stfloedata${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    zoneRedundant: zoneRedundant
    private: privateNetworking
    containers: floe.containers
    queues: floe.queues
    tables: floe.tables
    softDeleteDays: softDeleteDays
    coolPrefixes: floe.rawPrefixes
    coolAfterDays: coolAfterDays
  }
}

module eventHubs 'modules/event-hubs.bicep' = {
  name: 'event-hubs'
  scope: resourceGroup(groupName)
  params: {
    name: 'evhns-floe-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    topics: topics
    throughputUnits: throughputUnits
    maximumThroughputUnits: maximumThroughputUnits
    zoneRedundant: zoneRedundant
    private: privateNetworking
    sasClients: sasClients
  }
}

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: resourceGroup(groupName)
  params: {
    name: 'kv-floe-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    private: privateNetworking
    softDeleteDays: softDeleteDays
    purgeProtection: purgeProtection
    adminKeySha256: adminKeySha256
  }
}

module pubSub 'modules/web-pubsub.bicep' = if (webPubSub) {
  name: 'web-pubsub'
  scope: resourceGroup(groupName)
  params: {
    name: 'wps-floe-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    units: webPubSubUnits
    private: privateNetworking
  }
}

module hostEndpoints 'modules/private-endpoint.bicep' = [
  for service in storageServices: if (privateNetworking) {
    name: 'endpoint-host-${service}'
    scope: resourceGroup(groupName)
    params: {
      name: 'pe-floe-host-${service}-${token}'
      location: location
      tags: tags
      targetId: hostStorage.outputs.id
      groupId: service
      subnetId: network!.outputs.endpointSubnetId
      zoneName: zones[service]
    }
  }
]

module dataEndpoints 'modules/private-endpoint.bicep' = [
  for service in storageServices: if (privateNetworking) {
    name: 'endpoint-data-${service}'
    scope: resourceGroup(groupName)
    params: {
      name: 'pe-floe-data-${service}-${token}'
      location: location
      tags: tags
      targetId: dataStorage.outputs.id
      groupId: service
      subnetId: network!.outputs.endpointSubnetId
      zoneName: zones[service]
    }
  }
]

module namespaceEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  name: 'endpoint-namespace'
  scope: resourceGroup(groupName)
  params: {
    name: 'pe-floe-namespace-${token}'
    location: location
    tags: tags
    targetId: eventHubs.outputs.id
    groupId: 'namespace'
    subnetId: network!.outputs.endpointSubnetId
    zoneName: zones.namespace
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  name: 'endpoint-vault'
  scope: resourceGroup(groupName)
  params: {
    name: 'pe-floe-vault-${token}'
    location: location
    tags: tags
    targetId: vault.outputs.id
    groupId: 'vault'
    subnetId: network!.outputs.endpointSubnetId
    zoneName: zones.vault
  }
}

module pubSubEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking && webPubSub && webPubSubUnits > 0) {
  name: 'endpoint-web-pubsub'
  scope: resourceGroup(groupName)
  params: {
    name: 'pe-floe-webpubsub-${token}'
    location: location
    tags: tags
    targetId: pubSub!.outputs.id
    groupId: 'webpubsub'
    subnetId: network!.outputs.endpointSubnetId
    zoneName: zones.webpubsub
  }
}

module app 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: resourceGroup(groupName)
  dependsOn: [hostEndpoints, dataEndpoints, namespaceEndpoint, vaultEndpoint]
  params: {
    name: 'func-floe-${token}'
    planName: 'plan-floe-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    packageContainerUrl: '${hostStorage.outputs.blobEndpoint}${packageContainer}'
    runtime: floe.runtime
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReadyHttp: alwaysReadyHttp
    zoneRedundant: zoneRedundant
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    settings: union(
      floe.schedules,
      {
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identity.outputs.clientId
        AzureWebJobsStorage__blobServiceUri: hostStorage.outputs.blobEndpoint
        AzureWebJobsStorage__queueServiceUri: hostStorage.outputs.queueEndpoint
        AzureWebJobsStorage__tableServiceUri: hostStorage.outputs.tableEndpoint
        AzureWebJobsDisableHomepage: 'true'
        EventHubConnection__fullyQualifiedNamespace: eventHubs.outputs.host
        EventHubConnection__credential: 'managedidentity'
        EventHubConnection__clientId: identity.outputs.clientId
        FloeStorage__queueServiceUri: dataStorage.outputs.queueEndpoint
        FloeStorage__credential: 'managedidentity'
        FloeStorage__clientId: identity.outputs.clientId
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
        AZURE_CLIENT_ID: identity.outputs.clientId
        FLOE_ENVIRONMENT: environmentName
        FLOE_AUTH: 'required'
        FLOE_STORAGE_ACCOUNT: dataStorage.outputs.name
        FLOE_EVENTHUB_NAMESPACE: eventHubs.outputs.host
      },
      empty(adminKeySha256) ? {} : {
        FLOE_ADMIN_KEY_SHA256: '@Microsoft.KeyVault(SecretUri=${vault.outputs.adminKeyUri})'
      },
      floeSettings
    )
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: resourceGroup(groupName)
  params: {
    name: 'floe-${environmentName}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    namespaceId: eventHubs.outputs.id
    emails: alertEmails
    expectsData: expectsData
    thresholds: thresholds
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: resourceGroup(groupName)
  params: {
    name: 'floe-${environmentName}'
    amount: monthlyBudget
    actionGroupId: alerts.outputs.actionGroupId
  }
}

@description('Name of the resource group.')
output AZURE_RESOURCE_GROUP string = groupName

@description('Name of the function app.')
output AZURE_FUNCTION_APP_NAME string = app.outputs.name

@description('Where the HTTP API is.')
output API_URL string = app.outputs.url

@description('Kafka bootstrap address of the namespace.')
output KAFKA_ADDRESS string = '${eventHubs.outputs.host}:9093'

@description('Name of the storage account that holds the data.')
output DATA_ACCOUNT string = dataStorage.outputs.name

@description('Name that browsers open WebSockets to; empty without Web PubSub.')
output WEB_PUBSUB_HOST string = webPubSub ? pubSub!.outputs.host : ''

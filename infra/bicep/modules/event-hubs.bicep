// The namespace that Kafka clients and the triggers speak to, with a hub for each topic.

@description('Required. Name of the namespace.')
@minLength(6)
@maxLength(50)
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Object id of the identity that receives and sends.')
param principalId string

@description('Required. Resource id of the workspace that takes metrics and logs.')
param workspaceId string

@description('Required. Topics: name, whether the app sends to it, partitions, retentionHours, consumerGroups.')
param topics object[]

@description('Required. Throughput units: 1 MB/s or 1,000 messages/s in, 2 MB/s or 4,096 out, each.')
@minValue(1)
@maxValue(40)
param throughputUnits int

@description('Required. Units that the namespace may grow to by itself; no more than throughputUnits: it does not grow.')
@minValue(1)
@maxValue(40)
param maximumThroughputUnits int

@description('Required. Whether the namespace is spread over zones.')
param zoneRedundant bool

@description('Required. Whether it answers only to private endpoints.')
param private bool

@description('Required. Whether clients outside the directory may send with a shared access signature.')
param sasClients bool

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: throughputUnits
  }
  properties: {
    disableLocalAuth: !sasClients
    isAutoInflateEnabled: maximumThroughputUnits > throughputUnits
    maximumThroughputUnits: maximumThroughputUnits > throughputUnits ? maximumThroughputUnits : 0
    minimumTlsVersion: '1.2'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    zoneRedundant: zoneRedundant
  }
}

module hubs 'event-hub.bicep' = [
  for topic in topics: {
    name: 'hub-${topic.name}'
    params: {
      namespaceName: namespace.name
      name: topic.name
      partitions: topic.partitions
      retentionHours: topic.retentionHours
      consumerGroups: topic.consumerGroups
      principalId: principalId
      send: topic.send
    }
  }
]

resource senders 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' = if (sasClients) {
  parent: namespace
  name: 'clients'
  properties: { rights: ['Send'] }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the namespace.')
output id string = namespace.id

@description('Its full name, to which port 9093 belongs for Kafka clients.')
output host string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]

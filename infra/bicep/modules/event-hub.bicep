// One topic: its hub, its consumer groups, and the app's right to it.

@description('Required. Name of the namespace.')
param namespaceName string

@description('Required. Name of the topic.')
@minLength(1)
@maxLength(256)
param name string

@description('Required. Partitions. The Standard tier cannot change them afterwards.')
@minValue(1)
@maxValue(32)
param partitions int

@description('Required. Hours that messages are kept.')
@minValue(1)
@maxValue(168)
param retentionHours int

@description('Required. Consumer groups beside $Default, which is the app\'s own.')
@maxLength(19)
param consumerGroups string[]

@description('Required. Object id of the app\'s identity.')
param principalId string

@description('Required. Whether the app sends to this topic too.')
param send bool

var roles = loadJsonContent('../roles.json')
var receiver = roles['Azure Event Hubs Data Receiver']
var sender = roles['Azure Event Hubs Data Sender']

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: name
  properties: {
    partitionCount: partitions
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionHours
    }
  }
}

resource groups 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [
  for group in consumerGroups: {
    parent: hub
    name: group
    properties: {}
  }
]

resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, principalId, receiver)
  scope: hub
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', receiver)
  }
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (send) {
  name: guid(hub.id, principalId, sender)
  scope: hub
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', sender)
  }
}

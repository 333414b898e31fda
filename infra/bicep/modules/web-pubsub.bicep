// WebSockets, which do not reach a function: Azure Web PubSub carries them.

@description('Required. Name of the service.')
@minLength(3)
@maxLength(63)
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Object id of the identity that publishes.')
param principalId string

@description('Required. Units of the Standard tier; 0 for the free one, which takes no private endpoints.')
@allowed([0, 1, 2, 5, 10, 20, 50, 100])
param units int

@description('Required. Whether the app reaches it by a private endpoint only. Browsers connect publicly all the same.')
param private bool

var roles = loadJsonContent('../roles.json')
var owner = roles['Web PubSub Service Owner']

resource service 'Microsoft.SignalRService/webPubSub@2024-03-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: units == 0 ? 'Free_F1' : 'Standard_S1'
    capacity: max(units, 1)
  }
  properties: {
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
    networkACLs: {
      defaultAction: 'Allow'
      publicNetwork: { deny: private ? ['ServerConnection', 'RESTAPI', 'Trace'] : [] }
    }
    tls: { clientCertEnabled: false }
  }
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(service.id, principalId, owner)
  scope: service
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', owner)
  }
}

@description('Resource id of the service.')
output id string = service.id

@description('Name that browsers connect to.')
output host string = service.properties.hostName

// The one identity that the function app acts as.

@description('Required. Name of the identity.')
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Its object id in the directory, to which roles are given.')
output principalId string = identity.properties.principalId

@description('Its client id, by which the app asks for its tokens.')
output clientId string = identity.properties.clientId

targetScope = 'subscription'

@description('Required. Name of the resource group.')
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags of the group.')
param tags object

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: name
  location: location
  tags: tags
}

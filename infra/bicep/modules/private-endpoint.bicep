// One private endpoint with its name in the zone.

@description('Required. Name of the endpoint.')
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Resource id of what it leads to.')
param targetId string

@description('Required. Which part of the target: blob, queue, table, namespace, vault or webpubsub.')
@allowed(['blob', 'queue', 'table', 'namespace', 'vault', 'webpubsub'])
param groupId string

@description('Required. The subnet that it stands in.')
param subnetId string

@description('Required. Name of the private DNS zone, which is in this resource group.')
param zoneName string

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' existing = {
  name: zoneName
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }
}

resource record 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: { privateDnsZoneId: zone.id }
      }
    ]
  }
}

// A storage account without keys and without anonymous access, with what is kept in it.

@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Object id of the identity that reads and writes.')
param principalId string

@description('Required. Whether copies stand in three zones.')
param zoneRedundant bool

@description('Required. Whether the account answers only to private endpoints.')
param private bool

@description('Required. Names of the blob containers.')
param containers string[]

@description('Optional. Names of the queues.')
param queues string[] = []

@description('Optional. Names of the tables.')
param tables string[] = []

@description('Optional. Names of roles at the whole account; at single containers, queues and tables otherwise.')
param accountRoles string[] = []

@description('Required. Days that deleted blobs and containers can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int

@description('Optional. Prefixes, container first, of hot files that go to the cool tier when they grow old.')
param coolPrefixes string[] = []

@description('Optional. After how many days those files go there.')
@minValue(31)
param coolAfterDays int = 90

var roles = loadJsonContent('../roles.json')
var single = empty(accountRoles)
var blobRole = roles['Storage Blob Data Contributor']
var queueRole = roles['Storage Queue Data Contributor']
var tableRole = roles['Storage Table Data Contributor']

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: private ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in containers: {
    parent: blobService
    name: container
    properties: { publicAccess: 'None' }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = if (!empty(queues)) {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = if (!empty(tables)) {
  parent: account
  name: 'default'
}

resource storageTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in tables: {
    parent: tableService
    name: table
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = if (!empty(coolPrefixes)) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-raw-files-to-cool'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: coolPrefixes
            }
            actions: {
              baseBlob: {
                tierToCool: { daysAfterModificationGreaterThan: coolAfterDays }
              }
            }
          }
        }
      ]
    }
  }
}

resource atAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in accountRoles: {
    name: guid(account.id, principalId, roles[role])
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[role])
    }
  }
]

resource atContainers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in containers: if (single) {
    name: guid(blobContainers[i].id, principalId, blobRole)
    scope: blobContainers[i]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobRole)
    }
  }
]

resource atQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queue, i) in queues: if (single) {
    name: guid(storageQueues[i].id, principalId, queueRole)
    scope: storageQueues[i]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueRole)
    }
  }
]

resource atTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (table, i) in tables: if (single) {
    name: guid(storageTables[i].id, principalId, tableRole)
    scope: storageTables[i]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableRole)
    }
  }
]

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Where its blobs are, with a slash at the end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Where its queues are.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Where its tables are.')
output tableEndpoint string = account.properties.primaryEndpoints.table

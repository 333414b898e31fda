// The vault, and in it the hash of the first administrator's key.

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Where it is.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Object id of the identity that reads the secret.')
param principalId string

@description('Required. Resource id of the workspace that takes the audit log.')
param workspaceId string

@description('Required. Whether it answers only to private endpoints.')
param private bool

@description('Required. Days that deleted vaults and secrets can be brought back.')
@minValue(7)
@maxValue(90)
param softDeleteDays int

@description('Required. Whether nobody can purge what is deleted before that. It cannot be turned off again.')
param purgeProtection bool

@description('Optional. SHA-256, in hex, of the first administrator\'s API key; empty: none is stored.')
@secure()
param adminKeySha256 string = ''

var roles = loadJsonContent('../roles.json')
var reader = roles['Key Vault Secrets User']

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: private ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }
}

resource adminKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(adminKeySha256)) {
  parent: vault
  name: 'admin-key-sha256'
  properties: {
    value: adminKeySha256
    contentType: 'SHA-256 in hex of an API key'
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(adminKeySha256)) {
  name: guid(adminKey.id, principalId, reader)
  scope: adminKey
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reader)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the vault.')
output id string = vault.id

@description('Address of the secret, where there is one.')
output adminKeyUri string = '${vault.properties.vaultUri}secrets/admin-key-sha256'

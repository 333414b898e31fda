// The function app on a Flex Consumption plan of its own.

@description('Required. Name of the app.')
@minLength(2)
@maxLength(32)
param name string

@description('Required. Name of the plan.')
param planName string

@description('Required. Where they are.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Resource id of the identity that the app acts as.')
param identityId string

@description('Required. Container that holds the deployed package, as a URL.')
param packageContainerUrl string

@description('Required. The language runtime: name and version.')
param runtime object

@description('Required. App settings, name to value.')
param settings object

@description('Required. Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Required. Most instances at once.')
@minValue(40)
@maxValue(1000)
param maximumInstances int

@description('Required. Instances that stand ready for HTTP requests; 0: the first request after a pause starts one.')
@minValue(0)
param alwaysReadyHttp int

@description('Required. Whether instances are spread over zones.')
param zoneRedundant bool

@description('Required. Subnet that the app runs in; empty: none.')
param subnetId string

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: runtime.name
        version: runtime.version
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReadyHttp == 0 ? [] : [
          {
            name: 'http'
            instanceCount: alwaysReadyHttp
          }
        ]
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: settings
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noPublishingPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

@description('Name of the app.')
output name string = app.name

@description('Where its HTTP API is.')
output url string = 'https://${app.properties.defaultHostName}'

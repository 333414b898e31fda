// A deployment to try things on: small, open to the network, easily thrown away.
using './main.bicep'

param environmentName = readEnvironmentVariable('DEPLOYMENT_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param adminKeySha256 = readEnvironmentVariable('ADMIN_KEY_SHA256', '')
param partitions = 2
param retentionHours = 24
param maximumThroughputUnits = 1
param purgeProtection = false
param alertEmails = json(readEnvironmentVariable('ALERT_EMAILS', '[]'))
param monthlyBudget = 50

// What `azd up` deploys: each choice is a variable of the azd environment (`azd env set NAME VALUE`).
using './main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param adminKeySha256 = readEnvironmentVariable('ADMIN_KEY_SHA256', '')
param zoneRedundant = bool(readEnvironmentVariable('ZONE_REDUNDANT', 'false'))
param privateNetworking = bool(readEnvironmentVariable('PRIVATE_NETWORKING', 'false'))
param webPubSub = bool(readEnvironmentVariable('WEB_PUBSUB', 'false'))
param sasClients = bool(readEnvironmentVariable('SAS_CLIENTS', 'false'))
param purgeProtection = bool(readEnvironmentVariable('PURGE_PROTECTION', 'true'))
param alertEmails = json(readEnvironmentVariable('ALERT_EMAILS', '[]'))
param monthlyBudget = int(readEnvironmentVariable('MONTHLY_BUDGET', '0'))

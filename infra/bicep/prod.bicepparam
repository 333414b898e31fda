// A deployment that must not stop: spread over zones, reached privately, watched.
using './main.bicep'

param environmentName = readEnvironmentVariable('DEPLOYMENT_NAME', 'prod')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param adminKeySha256 = readEnvironmentVariable('ADMIN_KEY_SHA256', '')
param partitions = 16
param throughputUnits = 2
param maximumThroughputUnits = 20
param maximumInstances = 100
param alwaysReadyHttp = 2
param zoneRedundant = true
param privateNetworking = true
param softDeleteDays = 14
param logRetentionDays = 90
param logDailyQuotaGb = 20
param alertEmails = json(readEnvironmentVariable('ALERT_EMAILS', '[]'))
param expectsData = true
param monthlyBudget = 1000

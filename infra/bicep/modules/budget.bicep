// What the resource group may cost in a month before somebody is told.

@description('Required. Name of the budget.')
param name string

@description('Required. The amount, in the currency that the subscription is billed in.')
@minValue(1)
param amount int

@description('Required. Resource id of the action group that is told.')
param actionGroupId string

@description('Optional. First day of the first month, as yyyy-MM-dd.')
param startDate string = utcNow('yyyy-MM-01')

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      actualAbove80: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
      forecastAbove100: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
    }
  }
}

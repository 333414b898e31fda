// Who is told, and of what. Each alert has a page of its own name in docs/runbook.md.

@description('Required. Name of the action group; alerts are named after it.')
param name string

@description('Required. Where log alerts are evaluated.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Resource id of the workspace that is asked.')
param workspaceId string

@description('Required. Resource id of the Event Hubs namespace.')
param namespaceId string

@description('Required. E-mail addresses that are told.')
param emails string[]

@description('Required. Whether an hour without data is worth telling.')
param expectsData bool

@description('Required. Thresholds: lagMessages, deadLetters, failedFlushes, failedLandings, failedJobs, failedScans, serverErrorPercent.')
param thresholds object

var runbook = 'What to do: docs/runbook.md in the repository'
var logAlerts = [
  {
    name: 'lag-grows'
    what: 'More messages came in than went out'
    severity: 2
    window: 'PT30M'
    column: 'Behind'
    threshold: thresholds.lagMessages
    query: '''
      AzureMetrics
      | where ResourceProvider == "MICROSOFT.EVENTHUB" and MetricName in ("IncomingMessages", "OutgoingMessages")
      | summarize Behind = sumif(Total, MetricName == "IncomingMessages") - sumif(Total, MetricName == "OutgoingMessages")
    '''
  }
  {
    name: 'dead-letters'
    what: 'Messages that could not become rows were kept as dead letters'
    severity: 3
    window: 'PT15M'
    column: 'Letters'
    threshold: thresholds.deadLetters
    query: '''
      AppTraces
      | where Message has "committed" and Message has "dead-letters"
      | extend line = parse_json(Message)
      | where line.event == "committed" and line.stream == "dead-letters"
      | summarize Letters = sum(tolong(line.rows) * ItemCount)
    '''
  }
  {
    name: 'failed-flushes'
    what: 'The flush fails: rows are safe in the landing container and not in the tables'
    severity: 1
    window: 'PT15M'
    column: 'Failures'
    threshold: thresholds.failedFlushes
    query: '''
      AppRequests
      | where Name == "flush_buffers" and Success == false
      | summarize Failures = sum(ItemCount)
    '''
  }
  {
    name: 'failed-landings'
    what: 'Batches cannot be landed and are tried again without end'
    severity: 1
    window: 'PT15M'
    column: 'Failures'
    threshold: thresholds.failedLandings
    query: '''
      AppRequests
      | where Name startswith "land_" and Success == false
      | summarize Failures = sum(ItemCount)
    '''
  }
  {
    name: 'failed-jobs'
    what: 'Jobs (uploads, clean-ups, replays) ended as failed'
    severity: 2
    window: 'PT30M'
    column: 'Failures'
    threshold: thresholds.failedJobs
    query: '''
      AppTraces
      | where Message has "job ended" and Message has "failed"
      | extend line = parse_json(Message)
      | where line.event == "job ended" and line.status == "failed"
      | summarize Failures = sum(ItemCount)
    '''
  }
  {
    name: 'failed-scans'
    what: 'The anomaly scan fails: anomalies are found late'
    severity: 2
    window: 'PT30M'
    column: 'Failures'
    threshold: thresholds.failedScans
    query: '''
      AppRequests
      | where Name == "scan_anomalies" and Success == false
      | summarize Failures = sum(ItemCount)
    '''
  }
  {
    name: 'server-errors'
    what: 'The share of requests answered with 5xx is high, in percent'
    severity: 2
    window: 'PT15M'
    column: 'Percent'
    threshold: thresholds.serverErrorPercent
    query: '''
      AppRequests
      | where toint(ResultCode) >= 100
      | summarize Requests = sum(ItemCount), Errors = sumif(ItemCount, toint(ResultCode) >= 500)
      | where Requests >= 20
      | project Percent = 100.0 * Errors / Requests
    '''
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'floe'
    emailReceivers: [
      for (email, i) in emails: {
        name: 'operator-${i}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource fromLogs 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in logAlerts: {
    name: '${name}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: '${alert.what}. ${runbook}#${alert.name}.'
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      autoMitigate: true
      // A new workspace has none of these tables until the first line arrives.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: alert.column
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: { actionGroups: [group.id] }
    }
  }
]

resource silence 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-no-data'
  location: 'global'
  tags: tags
  properties: {
    description: 'Nothing has come in for an hour. ${runbook}#no-data.'
    severity: 2
    enabled: expectsData
    scopes: [namespaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'no-messages'
          metricName: 'IncomingMessages'
          timeAggregation: 'Total'
          operator: 'LessThan'
          threshold: 1
        }
      ]
    }
    actions: [{ actionGroupId: group.id }]
  }
}

resource throttling 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'The namespace refuses requests: it has too few throughput units. ${runbook}#throttled.'
    severity: 2
    enabled: true
    scopes: [namespaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'throttled-requests'
          metricName: 'ThrottledRequests'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 10
        }
      ]
    }
    actions: [{ actionGroupId: group.id }]
  }
}

@description('Resource id of the action group.')
output actionGroupId string = group.id

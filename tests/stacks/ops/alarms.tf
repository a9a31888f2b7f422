resource "aws_sns_topic" "alarms" {
  name = "${local.name}-alarms"
}

resource "aws_cloudwatch_metric_alarm" "platform_error_rate" {
  alarm_name          = "${local.name}-error-rate"
  alarm_description   = "More than one handled request in a hundred fails"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "rate"
    expression  = "100 * errors / requests"
    label       = "Error rate in percent"
    return_data = true
  }

  metric_query {
    id = "errors"

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Errors"
      period      = 60
      stat        = "Sum"
      dimensions  = { FunctionName = local.runtime.lambda_ig_handler_name }
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      period      = 60
      stat        = "Sum"
      dimensions  = { FunctionName = local.runtime.lambda_ig_handler_name }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "rtdl_lag" {
  alarm_name          = "${local.name}-rtdl-lag"
  alarm_description   = "The decision stream is more than a minute behind"
  namespace           = "AWS/KinesisAnalytics"
  metric_name         = "millisBehindLatest"
  dimensions          = { Application = local.runtime.flink_app_rtdl_ieg_v0 }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60000
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "edge_http" {
  alarm_name          = "${local.name}-ig-http-anomaly"
  alarm_description   = "The edge refuses or fails more requests than it does by itself"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 5
  threshold           = 50
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "refused"
    expression  = "client + server"
    label       = "4xx and 5xx"
    return_data = true
  }

  metric_query {
    id = "client"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "4xx"
      period      = 60
      stat        = "Sum"
      dimensions  = { ApiId = local.runtime.apigw_ig_api_id }
    }
  }

  metric_query {
    id = "server"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "5xx"
      period      = 60
      stat        = "Sum"
      dimensions  = { ApiId = local.runtime.apigw_ig_api_id }
    }
  }
}

# What the audit of correlation writes: which headers came, which were missing, and what was refused for it.
resource "aws_cloudwatch_log_group" "correlation_audit" {
  name              = "/fraud-platform/dev_full/correlation-audit"
  retention_in_days = 14
}

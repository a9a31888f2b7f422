resource "aws_cloudwatch_dashboard" "operations" {
  dashboard_name = "${local.name}-operations"

  dashboard_body = jsonencode({
    widgets = [
      {
        type = "metric", x = 0, y = 0, width = 12, height = 6
        properties = {
          title  = "Ingress edge"
          region = local.region
          stat   = "Sum"
          period = 60
          metrics = [
            ["AWS/ApiGateway", "Count", "ApiId", local.runtime.apigw_ig_api_id],
            ["AWS/ApiGateway", "4xx", "ApiId", local.runtime.apigw_ig_api_id],
            ["AWS/ApiGateway", "5xx", "ApiId", local.runtime.apigw_ig_api_id],
          ]
        }
      },
      {
        type = "metric", x = 12, y = 0, width = 12, height = 6
        properties = {
          title   = "Decision stream"
          region  = local.region
          stat    = "Maximum"
          period  = 60
          metrics = [["AWS/KinesisAnalytics", "millisBehindLatest", "Application", local.runtime.flink_app_rtdl_ieg_v0]]
        }
      },
    ]
  })
}

resource "aws_cloudwatch_dashboard" "cost_guardrail" {
  dashboard_name = "${local.name}-cost-guardrail"

  dashboard_body = jsonencode({
    widgets = [
      {
        type = "metric", x = 0, y = 0, width = 24, height = 6
        properties = {
          title   = "Estimated charges of the month"
          region  = "us-east-1"
          stat    = "Maximum"
          period  = 21600
          metrics = [["AWS/Billing", "EstimatedCharges", "Currency", "USD"]]
        }
      },
    ]
  })
}

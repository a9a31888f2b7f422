# Each output is named after the handle that it pins, in lower case.

output "role_mwaa_execution" {
  value = aws_iam_role.airflow.arn
}

output "aws_budget_name" {
  value = aws_budgets_budget.monthly.name
}

output "aws_budget_notification_email" {
  value = local.budget_notification_email
}

output "alarm_platform_error_rate" {
  value = aws_cloudwatch_metric_alarm.platform_error_rate.alarm_name
}

output "alarm_rtdl_lag" {
  value = aws_cloudwatch_metric_alarm.rtdl_lag.alarm_name
}

output "alarm_ig_4xx_5xx" {
  value = aws_cloudwatch_metric_alarm.edge_http.alarm_name
}

output "cw_dashboard_platform_operations" {
  value = aws_cloudwatch_dashboard.operations.dashboard_name
}

output "cw_dashboard_cost_guardrail" {
  value = aws_cloudwatch_dashboard.cost_guardrail.dashboard_name
}

output "ssm_aurora_endpoint_path" {
  value = aws_ssm_parameter.address["aurora_endpoint"].name
}

output "ssm_aurora_reader_endpoint_path" {
  value = aws_ssm_parameter.address["aurora_reader_endpoint"].name
}

output "ssm_aurora_username_path" {
  value = aws_ssm_parameter.credential["aurora_username"].name
}

output "ssm_aurora_password_path" {
  value = aws_ssm_parameter.credential["aurora_password"].name
}

output "ssm_redis_endpoint_path" {
  value = aws_ssm_parameter.address["redis_endpoint"].name
}

output "ssm_mwaa_webserver_url_path" {
  value = aws_ssm_parameter.address["mwaa_webserver_url"].name
}

# Each output is named after the handle that it pins, in lower case.

output "role_sagemaker_execution" {
  value = aws_iam_role.sagemaker.arn
}

output "role_databricks_cross_account_access" {
  value = aws_iam_role.databricks.arn
}

output "dbx_workspace_url" {
  value = local.databricks_workspace_url
}

output "sm_model_package_group_name" {
  value = aws_sagemaker_model_package_group.models.model_package_group_name
}

output "ssm_databricks_workspace_url_path" {
  value = aws_ssm_parameter.databricks_workspace_url.name
}

output "ssm_databricks_token_path" {
  value = aws_ssm_parameter.databricks_token.name
}

output "ssm_mlflow_tracking_uri_path" {
  value = aws_ssm_parameter.mlflow_tracking_uri.name
}

output "ssm_sagemaker_model_exec_role_arn_path" {
  value = aws_ssm_parameter.sagemaker_model_exec_role_arn.name
}

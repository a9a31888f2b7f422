resource "aws_ssm_parameter" "databricks_workspace_url" {
  name  = "/fraud-platform/dev_full/databricks/workspace_url"
  type  = "String"
  value = local.databricks_workspace_url
}

# The owner sets the token after the apply; Terraform makes the place and never learns what is in it.
resource "aws_ssm_parameter" "databricks_token" {
  name   = "/fraud-platform/dev_full/databricks/token"
  type   = "SecureString"
  key_id = local.core.kms_key_alias_platform
  value  = "placeholder-until-the-owner-sets-the-databricks-token"

  lifecycle {
    ignore_changes = [value]
  }
}

# Databricks hosts MLflow; its clients find it by the workspace.
resource "aws_ssm_parameter" "mlflow_tracking_uri" {
  name  = "/fraud-platform/dev_full/mlflow/tracking_uri"
  type  = "String"
  value = "${local.databricks_workspace_url}/api/2.0/mlflow"
}

resource "aws_ssm_parameter" "sagemaker_model_exec_role_arn" {
  name  = "/fraud-platform/dev_full/sagemaker/model_exec_role_arn"
  type  = "String"
  value = aws_iam_role.sagemaker.arn
}

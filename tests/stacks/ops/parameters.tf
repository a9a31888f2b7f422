# Aurora, Redis and Airflow are started for a run and stopped after it; whoever starts one writes its address here. So
# Terraform makes the places, and leaves alone what is in them.
locals {
  addresses = {
    aurora_endpoint        = "/fraud-platform/dev_full/aurora/endpoint"
    aurora_reader_endpoint = "/fraud-platform/dev_full/aurora/reader_endpoint"
    redis_endpoint         = "/fraud-platform/dev_full/redis/endpoint"
    mwaa_webserver_url     = "/fraud-platform/dev_full/mwaa/webserver_url"
  }

  credentials = {
    aurora_username = "/fraud-platform/dev_full/aurora/username"
    aurora_password = "/fraud-platform/dev_full/aurora/password"
  }
}

resource "aws_ssm_parameter" "address" {
  for_each = local.addresses
  name     = each.value
  type     = "String"
  value    = "not-started"

  lifecycle {
    ignore_changes = [value]
  }
}

resource "aws_ssm_parameter" "credential" {
  for_each = local.credentials
  name     = each.value
  type     = "SecureString"
  key_id   = local.core.kms_key_alias_platform
  value    = "placeholder-until-the-owner-sets-the-${replace(each.key, "_", "-")}"

  lifecycle {
    ignore_changes = [value]
  }
}

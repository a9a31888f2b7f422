data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "terraform_remote_state" "core" {
  backend = "s3"

  config = {
    bucket = "fraud-platform-dev-full-tfstate"
    key    = "dev_full/core/terraform.tfstate"
    region = "eu-west-2"
  }
}

data "aws_kms_alias" "platform" {
  name = local.core.kms_key_alias_platform
}

locals {
  name    = "fraud-platform-dev-full"
  core    = data.terraform_remote_state.core.outputs
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name
  key_arn = data.aws_kms_alias.platform.target_key_arn

  object_store_arn = "arn:aws:s3:::${local.core.s3_object_store_bucket}"
  artifacts_arn    = "arn:aws:s3:::${local.core.s3_artifacts_bucket}"

  databricks_workspace_url = "https://fraud-platform-dev-full.cloud.databricks.com"
}

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

data "terraform_remote_state" "runtime" {
  backend = "s3"

  config = {
    bucket = "fraud-platform-dev-full-tfstate"
    key    = "dev_full/runtime/terraform.tfstate"
    region = "eu-west-2"
  }
}

data "terraform_remote_state" "data_ml" {
  backend = "s3"

  config = {
    bucket = "fraud-platform-dev-full-tfstate"
    key    = "dev_full/data_ml/terraform.tfstate"
    region = "eu-west-2"
  }
}

data "aws_kms_alias" "platform" {
  name = local.core.kms_key_alias_platform
}

locals {
  name    = "fraud-platform-dev-full"
  core    = data.terraform_remote_state.core.outputs
  runtime = data.terraform_remote_state.runtime.outputs
  data_ml = data.terraform_remote_state.data_ml.outputs
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name
  key_arn = data.aws_kms_alias.platform.target_key_arn

  parameters    = "arn:aws:ssm:${local.region}:${local.account}:parameter"
  artifacts_arn = "arn:aws:s3:::${local.core.s3_artifacts_bucket}"

  budget_notification_email = "platform-budget@example.com"
}

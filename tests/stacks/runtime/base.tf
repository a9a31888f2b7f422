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

data "terraform_remote_state" "streaming" {
  backend = "s3"

  config = {
    bucket = "fraud-platform-dev-full-tfstate"
    key    = "dev_full/streaming/terraform.tfstate"
    region = "eu-west-2"
  }
}

data "aws_kms_alias" "platform" {
  name = local.core.kms_key_alias_platform
}

locals {
  name      = "fraud-platform-dev-full"
  core      = data.terraform_remote_state.core.outputs
  streaming = data.terraform_remote_state.streaming.outputs
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
  key_arn   = data.aws_kms_alias.platform.target_key_arn

  parameters = "arn:aws:ssm:${local.region}:${local.account}:parameter"
  log_groups = "arn:aws:logs:${local.region}:${local.account}:log-group:/fraud-platform/dev_full"

  object_store_arn = "arn:aws:s3:::${local.core.s3_object_store_bucket}"
  evidence_arn     = "arn:aws:s3:::${local.core.s3_evidence_bucket}"
  artifacts_arn    = "arn:aws:s3:::${local.core.s3_artifacts_bucket}"

  bus_arn        = local.streaming.msk_cluster_arn
  bus_topics_arn = "${replace(local.bus_arn, ":cluster/", ":topic/")}/*"
  bus_groups_arn = "${replace(local.bus_arn, ":cluster/", ":group/")}/*"
}

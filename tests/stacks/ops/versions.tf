# Operations: orchestration by Airflow, alarms, dashboards, the budget, and the audit of correlation.
terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  backend "s3" {
    bucket         = "fraud-platform-dev-full-tfstate"
    key            = "dev_full/ops/terraform.tfstate"
    region         = "eu-west-2"
    dynamodb_table = "fraud-platform-dev-full-tf-locks"
    encrypt        = true
  }
}

provider "aws" {
  region = "eu-west-2"

  default_tags {
    tags = {
      project = "fraud-platform"
      env     = "dev_full"
      owner   = "platform-team"
    }
  }
}

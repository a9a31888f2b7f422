# Data and ML: what Databricks, MLflow and SageMaker run as, and where their secrets are.
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
    key            = "dev_full/data_ml/terraform.tfstate"
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

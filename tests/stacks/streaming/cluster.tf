data "terraform_remote_state" "core" {
  backend = "s3"

  config = {
    bucket = "fraud-platform-dev-full-tfstate"
    key    = "dev_full/core/terraform.tfstate"
    region = "eu-west-2"
  }
}

locals {
  name = "fraud-platform-dev-full"
  core = data.terraform_remote_state.core.outputs
}

resource "aws_msk_serverless_cluster" "bus" {
  cluster_name = "${local.name}-msk"

  vpc_config {
    subnet_ids         = local.core.msk_client_subnet_ids
    security_group_ids = [local.core.msk_security_group_id]
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}

resource "aws_ssm_parameter" "bootstrap_brokers" {
  name   = "/fraud-platform/dev_full/msk/bootstrap_brokers"
  type   = "SecureString"
  key_id = local.core.kms_key_alias_platform
  value  = aws_msk_serverless_cluster.bus.bootstrap_brokers_sasl_iam
}

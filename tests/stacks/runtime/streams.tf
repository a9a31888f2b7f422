locals {
  stream_applications = toset(["wsp-stream-v0", "sr-ready-v0", "rtdl-ieg-v0", "rtdl-ofp-v0"])
}

# Made, but not started: a run starts what it needs, and stops it.
resource "aws_kinesisanalyticsv2_application" "stream" {
  for_each               = local.stream_applications
  name                   = "${local.name}-${each.key}"
  runtime_environment    = "FLINK-1_20"
  service_execution_role = aws_iam_role.flink.arn

  application_configuration {
    application_code_configuration {
      code_content_type = "ZIPFILE"

      code_content {
        s3_content_location {
          bucket_arn = local.artifacts_arn
          file_key   = "flink/${each.key}.jar"
        }
      }
    }

    environment_properties {
      property_group {
        property_group_id = "platform"

        property_map = {
          "bootstrap.parameter" = local.streaming.ssm_msk_bootstrap_brokers_path
          "checkpoint.prefix"   = "state/flink/${local.name}-${each.key}/"
        }
      }
    }

    flink_application_configuration {
      checkpoint_configuration {
        configuration_type            = "CUSTOM"
        checkpointing_enabled         = true
        checkpoint_interval           = 60000
        min_pause_between_checkpoints = 5000
      }

      monitoring_configuration {
        configuration_type = "CUSTOM"
        log_level          = "INFO"
        metrics_level      = "APPLICATION"
      }

      parallelism_configuration {
        configuration_type   = "CUSTOM"
        auto_scaling_enabled = false
        parallelism          = 2
        parallelism_per_kpu  = 1
      }
    }

    vpc_configuration {
      subnet_ids         = local.core.msk_client_subnet_ids
      security_group_ids = [local.core.msk_security_group_id]
    }
  }

  depends_on = [aws_iam_role_policy.flink]
}

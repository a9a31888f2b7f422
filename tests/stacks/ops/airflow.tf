# What the Airflow environment runs as. The environment itself is started for a run: left on, it would cost the most.
data "aws_iam_policy_document" "airflow_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "airflow" {
  name               = "${local.name}-mwaa-execution"
  assume_role_policy = data.aws_iam_policy_document.airflow_trust.json
}

data "aws_iam_policy_document" "airflow" {
  statement {
    sid     = "ReadJobParameters"
    actions = ["ssm:GetParameter"]
    resources = [
      aws_ssm_parameter.address["mwaa_webserver_url"].arn,
      "${local.parameters}${local.data_ml.ssm_databricks_workspace_url_path}",
      "${local.parameters}${local.data_ml.ssm_databricks_token_path}",
    ]
  }

  statement {
    sid       = "PublishMetrics"
    actions   = ["airflow:PublishMetrics"]
    resources = ["arn:aws:airflow:${local.region}:${local.account}:environment/${local.name}"]
  }

  statement {
    sid       = "ReadDags"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [local.artifacts_arn, "${local.artifacts_arn}/dags/*"]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:${local.region}:${local.account}:log-group:airflow-${local.name}-*"]
  }

  # The queues of Airflow's workers are in an account of AWS.
  statement {
    sid       = "UseWorkerQueues"
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
    resources = ["arn:aws:sqs:${local.region}:*:airflow-celery-*"]
  }
}

resource "aws_iam_role_policy" "airflow" {
  name   = "mwaa-execution"
  role   = aws_iam_role.airflow.name
  policy = data.aws_iam_policy_document.airflow.json
}

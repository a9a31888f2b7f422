data "aws_iam_policy_document" "sagemaker_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "sagemaker" {
  name               = "${local.name}-sagemaker-execution"
  assume_role_policy = data.aws_iam_policy_document.sagemaker_trust.json
}

data "aws_iam_policy_document" "sagemaker" {
  statement {
    sid     = "ReadModelParameters"
    actions = ["ssm:GetParameter"]
    resources = [
      aws_ssm_parameter.mlflow_tracking_uri.arn,
      aws_ssm_parameter.sagemaker_model_exec_role_arn.arn,
    ]
  }

  statement {
    sid       = "ReadTrainingData"
    actions   = ["s3:GetObject"]
    resources = ["${local.object_store_arn}/learning/*"]
  }

  statement {
    sid       = "KeepModels"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.artifacts_arn}/models/*"]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:${local.region}:${local.account}:log-group:/aws/sagemaker/*"]
  }
}

resource "aws_iam_role_policy" "sagemaker" {
  name   = "sagemaker-execution"
  role   = aws_iam_role.sagemaker.name
  policy = data.aws_iam_policy_document.sagemaker.json
}

# Databricks comes from its own account, and must say for which of its customers.
data "aws_iam_policy_document" "databricks_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::414351767826:root"]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = ["00000000-0000-4000-8000-000000000000"]
    }
  }
}

resource "aws_iam_role" "databricks" {
  name               = "${local.name}-databricks-cross-account"
  assume_role_policy = data.aws_iam_policy_document.databricks_trust.json
}

data "aws_iam_policy_document" "databricks" {
  statement {
    sid       = "ReadLake"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [local.object_store_arn, "${local.object_store_arn}/*"]
  }

  statement {
    sid       = "WriteLearningData"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.object_store_arn}/learning/*"]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }

  # Job clusters: EC2 names no resource for these that exists before the call.
  statement {
    sid = "RunJobClusters"
    actions = [
      "ec2:CreateTags",
      "ec2:DescribeInstances",
      "ec2:DescribeSubnets",
      "ec2:RunInstances",
      "ec2:TerminateInstances",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }
}

resource "aws_iam_role_policy" "databricks" {
  name   = "databricks-cross-account"
  role   = aws_iam_role.databricks.name
  policy = data.aws_iam_policy_document.databricks.json
}

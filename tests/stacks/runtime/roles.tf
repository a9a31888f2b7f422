# One role a purpose. Each may read the parameters that its own work needs, by name; none may read all of them.

locals {
  trusted_services = {
    flink        = "kinesisanalytics.amazonaws.com"
    handler      = "lambda.amazonaws.com"
    edge_invoke  = "apigateway.amazonaws.com"
    idempotency  = "lambda.amazonaws.com"
    orchestrator = "states.amazonaws.com"
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.trusted_services

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

resource "aws_iam_role" "flink" {
  name               = "${local.name}-flink-execution"
  assume_role_policy = data.aws_iam_policy_document.trust["flink"].json
}

data "aws_iam_policy_document" "flink" {
  statement {
    sid       = "ReadBrokers"
    actions   = ["ssm:GetParameter"]
    resources = ["${local.parameters}${local.streaming.ssm_msk_bootstrap_brokers_path}"]
  }

  statement {
    sid       = "ReadCode"
    actions   = ["s3:GetObject"]
    resources = ["${local.artifacts_arn}/flink/*"]
  }

  statement {
    sid       = "KeepCheckpoints"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.object_store_arn}/state/flink/*"]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }

  statement {
    sid       = "UseBus"
    actions   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
    resources = [local.bus_arn]
  }

  statement {
    sid       = "UseTopics"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData"]
    resources = [local.bus_topics_arn]
  }

  statement {
    sid       = "UseGroups"
    actions   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
    resources = [local.bus_groups_arn]
  }

  # EC2 names no resource for these that exists before the call.
  statement {
    sid = "UseNetwork"
    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:CreateNetworkInterfacePermission",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeDhcpOptions",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "flink" {
  name   = "flink-execution"
  role   = aws_iam_role.flink.name
  policy = data.aws_iam_policy_document.flink.json
}

resource "aws_iam_role" "handler" {
  name               = "${local.name}-lambda-ig-execution"
  assume_role_policy = data.aws_iam_policy_document.trust["handler"].json
}

data "aws_iam_policy_document" "handler" {
  statement {
    sid       = "ReadApiKey"
    actions   = ["ssm:GetParameter"]
    resources = [aws_ssm_parameter.api_key.arn]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }

  statement {
    sid       = "RememberRequests"
    actions   = ["sts:AssumeRole"]
    resources = [aws_iam_role.idempotency.arn]
  }

  statement {
    sid       = "SetAsideFailures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  statement {
    sid       = "UseBus"
    actions   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
    resources = [local.bus_arn]
  }

  statement {
    sid       = "WriteTopics"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
    resources = [local.bus_topics_arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_groups}/ig:*", "${local.log_groups}/correlation-audit:*"]
  }

  # EC2 names no resource for these that exists before the call.
  statement {
    sid = "UseNetwork"
    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "handler" {
  name   = "lambda-ig-execution"
  role   = aws_iam_role.handler.name
  policy = data.aws_iam_policy_document.handler.json
}

resource "aws_iam_role" "idempotency" {
  name               = "${local.name}-ddb-ig-idempotency-rw"
  assume_role_policy = data.aws_iam_policy_document.trust["idempotency"].json
}

data "aws_iam_policy_document" "idempotency" {
  statement {
    sid       = "UseIdempotencyTable"
    actions   = ["dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.idempotency.arn]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }
}

resource "aws_iam_role_policy" "idempotency" {
  name   = "ddb-ig-idempotency-rw"
  role   = aws_iam_role.idempotency.name
  policy = data.aws_iam_policy_document.idempotency.json
}

resource "aws_iam_role" "edge_invoke" {
  name               = "${local.name}-apigw-ig-invoke"
  assume_role_policy = data.aws_iam_policy_document.trust["edge_invoke"].json
}

data "aws_iam_policy_document" "edge_invoke" {
  statement {
    sid       = "InvokeHandler"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.handler.arn]
  }
}

resource "aws_iam_role_policy" "edge_invoke" {
  name   = "apigw-ig-invoke"
  role   = aws_iam_role.edge_invoke.name
  policy = data.aws_iam_policy_document.edge_invoke.json
}

resource "aws_iam_role" "orchestrator" {
  name               = "${local.name}-step-functions-orchestrator"
  assume_role_policy = data.aws_iam_policy_document.trust["orchestrator"].json
}

data "aws_iam_policy_document" "orchestrator" {
  statement {
    sid       = "RecordEvidence"
    actions   = ["s3:PutObject"]
    resources = ["${local.evidence_arn}/evidence/*"]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
  }
}

resource "aws_iam_role_policy" "orchestrator" {
  name   = "step-functions-orchestrator"
  role   = aws_iam_role.orchestrator.name
  policy = data.aws_iam_policy_document.orchestrator.json
}

# Who applies the stacks: an operator of this account, with a second factor.
data "aws_iam_policy_document" "deployer_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account}:root"]
    }

    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role" "deployer" {
  name               = "${local.name}-terraform-apply"
  assume_role_policy = data.aws_iam_policy_document.deployer_trust.json
}

data "aws_iam_policy_document" "deployer" {
  statement {
    sid       = "KeepState"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
    resources = ["arn:aws:s3:::${local.name}-tfstate", "arn:aws:s3:::${local.name}-tfstate/*"]
  }

  statement {
    sid       = "LockState"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    resources = ["arn:aws:dynamodb:${local.region}:${local.account}:table/${local.name}-tf-locks"]
  }

  statement {
    sid     = "ManageNamed"
    actions = ["dynamodb:*", "iam:*", "kinesisanalytics:*", "lambda:*", "sqs:*", "ssm:*", "states:*"]
    resources = [
      "arn:aws:dynamodb:${local.region}:${local.account}:table/${local.name}-*",
      "arn:aws:iam::${local.account}:policy/${local.name}-*",
      "arn:aws:iam::${local.account}:role/${local.name}-*",
      "arn:aws:kinesisanalytics:${local.region}:${local.account}:application/${local.name}-*",
      "arn:aws:lambda:${local.region}:${local.account}:function:${local.name}-*",
      "arn:aws:sqs:${local.region}:${local.account}:${local.name}-*",
      "arn:aws:states:${local.region}:${local.account}:stateMachine:${local.name}-*",
      "${local.parameters}/fraud-platform/dev_full/*",
    ]
  }

  # These services name their resources only once they exist; the tags of the platform say which are its own.
  statement {
    sid = "ManageTagged"
    actions = [
      "apigateway:*",
      "budgets:*",
      "cloudwatch:*",
      "ec2:*",
      "eks:*",
      "glue:*",
      "kafka:*",
      "kms:*",
      "logs:*",
      "sagemaker:*",
      "sns:*",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/project"
      values   = ["fraud-platform"]
    }
  }
}

resource "aws_iam_role_policy" "deployer" {
  name   = "terraform-apply"
  role   = aws_iam_role.deployer.name
  policy = data.aws_iam_policy_document.deployer.json
}

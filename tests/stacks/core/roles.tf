data "aws_iam_policy_document" "nodegroup_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "eks_nodegroup" {
  name               = "${local.name}-eks-nodegroup"
  assume_role_policy = data.aws_iam_policy_document.nodegroup_trust.json
}

resource "aws_iam_role_policy_attachment" "eks_nodegroup" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"])
  role       = aws_iam_role.eks_nodegroup.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "runtime_trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  parameters = "arn:aws:ssm:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:parameter"

  # Other stacks make these parameters, after this one; what runs on the cluster reads them and no others.
  runtime_parameters = [
    "/fraud-platform/dev_full/msk/bootstrap_brokers",
    "/fraud-platform/dev_full/aurora/endpoint",
    "/fraud-platform/dev_full/aurora/reader_endpoint",
    "/fraud-platform/dev_full/aurora/username",
    "/fraud-platform/dev_full/aurora/password",
    "/fraud-platform/dev_full/redis/endpoint",
  ]
}

resource "aws_iam_role" "eks_runtime_platform_base" {
  name               = "${local.name}-eks-runtime-platform-base"
  assume_role_policy = data.aws_iam_policy_document.runtime_trust.json
}

data "aws_iam_policy_document" "runtime_platform_base" {
  statement {
    sid       = "ListPlatformBuckets"
    actions   = ["s3:ListBucket"]
    resources = [for bucket in aws_s3_bucket.platform : bucket.arn]
  }

  statement {
    sid       = "UsePlatformObjects"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = [for bucket in aws_s3_bucket.platform : "${bucket.arn}/*"]
  }

  statement {
    sid       = "UsePlatformKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.platform.arn]
  }

  statement {
    sid       = "ReadRuntimeParameters"
    actions   = ["ssm:GetParameter", "ssm:GetParameters"]
    resources = [for path in local.runtime_parameters : "${local.parameters}${path}"]
  }
}

resource "aws_iam_policy" "runtime_platform_base" {
  name   = "${local.name}-platform-base"
  policy = data.aws_iam_policy_document.runtime_platform_base.json
}

resource "aws_iam_role_policy_attachment" "runtime_platform_base" {
  role       = aws_iam_role.eks_runtime_platform_base.name
  policy_arn = aws_iam_policy.runtime_platform_base.arn
}

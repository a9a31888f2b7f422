locals {
  cluster_arn  = aws_msk_serverless_cluster.bus.arn
  runtime_role = element(split("/", local.core.role_eks_runtime_platform_base), -1)
}

data "aws_iam_policy_document" "bus_client" {
  statement {
    sid       = "ReachCluster"
    actions   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
    resources = [local.cluster_arn]
  }

  statement {
    sid       = "UseTopics"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData"]
    resources = ["${replace(local.cluster_arn, ":cluster/", ":topic/")}/*"]
  }

  statement {
    sid       = "UseGroups"
    actions   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
    resources = ["${replace(local.cluster_arn, ":cluster/", ":group/")}/*"]
  }
}

resource "aws_iam_policy" "bus_client" {
  name   = "${local.name}-msk-client"
  policy = data.aws_iam_policy_document.bus_client.json
}

resource "aws_iam_role_policy_attachment" "bus_client" {
  role       = local.runtime_role
  policy_arn = aws_iam_policy.bus_client.arn
}

# Each output is named after the handle that it pins, in lower case.

output "s3_object_store_bucket" {
  value = aws_s3_bucket.platform["object_store"].id
}

output "s3_evidence_bucket" {
  value = aws_s3_bucket.platform["evidence"].id
}

output "s3_artifacts_bucket" {
  value = aws_s3_bucket.platform["artifacts"].id
}

output "kms_key_alias_platform" {
  value = aws_kms_alias.platform.name
}

output "msk_client_subnet_ids" {
  value = aws_subnet.msk_client[*].id
}

output "msk_security_group_id" {
  value = aws_security_group.msk.id
}

output "role_eks_nodegroup_dev_full" {
  value = aws_iam_role.eks_nodegroup.arn
}

output "role_eks_runtime_platform_base" {
  value = aws_iam_role.eks_runtime_platform_base.arn
}

# Each output is named after the handle that it pins, in lower case.

output "msk_cluster_arn" {
  value = aws_msk_serverless_cluster.bus.arn
}

output "msk_bootstrap_brokers_sasl_iam" {
  value = aws_msk_serverless_cluster.bus.bootstrap_brokers_sasl_iam
}

output "ssm_msk_bootstrap_brokers_path" {
  value = aws_ssm_parameter.bootstrap_brokers.name
}

output "glue_schema_registry_name" {
  value = aws_glue_registry.bus.registry_name
}

output "glue_anchor_schema_name" {
  value = aws_glue_schema.bus["fp.control.anchor.v1"].schema_name
}

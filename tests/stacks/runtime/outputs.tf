# Each output is named after the handle that it pins, in lower case.

output "eks_cluster_name" {
  value = aws_eks_cluster.platform.name
}

output "eks_cluster_arn" {
  value = aws_eks_cluster.platform.arn
}

output "apigw_ig_api_id" {
  value = aws_apigatewayv2_api.edge.id
}

output "apigw_ig_api_name" {
  value = aws_apigatewayv2_api.edge.name
}

output "apigw_ig_stage" {
  value = aws_apigatewayv2_stage.v1.name
}

output "lambda_ig_handler_name" {
  value = aws_lambda_function.handler.function_name
}

output "ddb_ig_idempotency_table" {
  value = aws_dynamodb_table.idempotency.name
}

output "ig_dlq_queue_name" {
  value = aws_sqs_queue.dead_letters.name
}

output "ssm_ig_api_key_path" {
  value = aws_ssm_parameter.api_key.name
}

output "sfn_platform_run_orchestrator_v0" {
  value = aws_sfn_state_machine.platform["platform_run"].name
}

output "sfn_learning_pipeline_gate_v0" {
  value = aws_sfn_state_machine.platform["learning_gate"].name
}

output "sfn_final_verdict_aggregator_v0" {
  value = aws_sfn_state_machine.platform["final_verdict"].name
}

output "flink_app_wsp_stream_v0" {
  value = aws_kinesisanalyticsv2_application.stream["wsp-stream-v0"].name
}

output "flink_app_sr_ready_v0" {
  value = aws_kinesisanalyticsv2_application.stream["sr-ready-v0"].name
}

output "flink_app_rtdl_ieg_v0" {
  value = aws_kinesisanalyticsv2_application.stream["rtdl-ieg-v0"].name
}

output "flink_app_rtdl_ofp_v0" {
  value = aws_kinesisanalyticsv2_application.stream["rtdl-ofp-v0"].name
}

output "role_flink_execution" {
  value = aws_iam_role.flink.arn
}

output "role_lambda_ig_execution" {
  value = aws_iam_role.handler.arn
}

output "role_apigw_ig_invoke" {
  value = aws_iam_role.edge_invoke.arn
}

output "role_ddb_ig_idempotency_rw" {
  value = aws_iam_role.idempotency.arn
}

output "role_step_functions_orchestrator" {
  value = aws_iam_role.orchestrator.arn
}

output "role_terraform_apply_dev_full" {
  value = aws_iam_role.deployer.arn
}

locals {
  # A zip of one file, handler.py, that answers 501: it proves the wiring. A release puts the code in its place.
  handler_zip = join("", [
    "UEsDBBQAAAAAAAAAIQAz+VvubgAAAG4AAAAKAAAAaGFuZGxlci5weWRlZiBoYW5kbGVyKGV2ZW50LCBjb250ZXh0KToKICAgIHJl",
    "dHVybiB7InN0YXR1c0NvZGUiOiA1MDEsICJib2R5IjogInRoZSBleGFtcGxlIHN0YWNrIHNoaXBzIG5vIGluZ2VzdCBjb2RlIn0K",
    "UEsBAhQDFAAAAAAAAAAhADP5W+5uAAAAbgAAAAoAAAAAAAAAAAAAAKQBAAAAAGhhbmRsZXIucHlQSwUGAAAAAAEAAQA4AAAAlgAA",
    "AAAA",
  ])
}

resource "aws_s3_object" "handler" {
  bucket         = local.core.s3_artifacts_bucket
  key            = "lambda/ig-handler.zip"
  content_base64 = local.handler_zip
  content_type   = "application/zip"
}

resource "aws_lambda_function" "handler" {
  function_name     = "${local.name}-ig-handler"
  role              = aws_iam_role.handler.arn
  runtime           = "python3.12"
  handler           = "handler.handler"
  s3_bucket         = aws_s3_object.handler.bucket
  s3_key            = aws_s3_object.handler.key
  s3_object_version = aws_s3_object.handler.version_id
  timeout           = 30
  memory_size       = 512

  # Names of secrets, never secrets: the handler reads the key from Parameter Store.
  environment {
    variables = {
      IG_AUTH_MODE                        = "api_key"
      IG_AUTH_HEADER_NAME                 = "X-IG-Api-Key"
      SSM_IG_API_KEY_PATH                 = aws_ssm_parameter.api_key.name
      IG_MAX_REQUEST_BYTES                = "1048576"
      IG_INTERNAL_RETRY_MAX_ATTEMPTS      = "3"
      IG_INTERNAL_RETRY_BACKOFF_MS        = "250"
      IG_IDEMPOTENCY_TTL_SECONDS          = "259200"
      DDB_IG_IDEMPOTENCY_TABLE            = aws_dynamodb_table.idempotency.name
      CORRELATION_MODE                    = "w3c_trace_context_plus_run_headers"
      CORRELATION_REQUIRED_FIELDS         = "platform_run_id,scenario_run_id,phase_id,event_id,runtime_lane,trace_id"
      CORRELATION_HEADERS_REQUIRED        = "traceparent,tracestate,x-fp-platform-run-id,x-fp-phase-id,x-fp-event-id"
      CORRELATION_AUDIT_PATH_PATTERN      = "evidence/runs/{platform_run_id}/obs/correlation_audit.json"
      CORRELATION_ENFORCEMENT_FAIL_CLOSED = "true"
    }
  }

  vpc_config {
    subnet_ids         = local.core.msk_client_subnet_ids
    security_group_ids = [local.core.msk_security_group_id]
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letters.arn
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.edge.name
  }

  depends_on = [aws_iam_role_policy.handler]
}

resource "aws_lambda_permission" "edge" {
  statement_id  = "AllowIngestEdge"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.handler.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.edge.execution_arn}/*/*"
}

# The handler retries within itself; what it gives up on goes to the queue, from which it is replayed.
resource "aws_lambda_function_event_invoke_config" "handler" {
  function_name          = aws_lambda_function.handler.function_name
  maximum_retry_attempts = 0

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.name}-ig-dlq"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_dynamodb_table" "idempotency" {
  name         = "${local.name}-ig-idempotency"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "dedupe_key"

  attribute {
    name = "dedupe_key"
    type = "S"
  }

  ttl {
    attribute_name = "ttl_epoch"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = local.key_arn
  }
}

# The owner sets the key after the apply; Terraform makes the place and never learns what is in it.
resource "aws_ssm_parameter" "api_key" {
  name   = "/fraud-platform/dev_full/ig/api_key"
  type   = "SecureString"
  key_id = local.core.kms_key_alias_platform
  value  = "placeholder-until-the-owner-sets-the-ig-api-key"

  lifecycle {
    ignore_changes = [value]
  }
}

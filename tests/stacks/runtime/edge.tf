resource "aws_apigatewayv2_api" "edge" {
  name          = "${local.name}-ig-edge"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "handler" {
  api_id                 = aws_apigatewayv2_api.edge.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.handler.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
  credentials_arn        = aws_iam_role.edge_invoke.arn
}

# The handler itself compares the key with the one in Parameter Store: an HTTP API has no keys of its own.
resource "aws_apigatewayv2_authorizer" "api_key" {
  api_id                            = aws_apigatewayv2_api.edge.id
  name                              = "api-key"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.handler.invoke_arn
  authorizer_credentials_arn        = aws_iam_role.edge_invoke.arn
  authorizer_payload_format_version = "2.0"
  authorizer_result_ttl_in_seconds  = 60
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.X-IG-Api-Key"]
}

resource "aws_apigatewayv2_route" "ingest" {
  api_id             = aws_apigatewayv2_api.edge.id
  route_key          = "POST /ingest/push"
  target             = "integrations/${aws_apigatewayv2_integration.handler.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.api_key.id
}

resource "aws_apigatewayv2_route" "health" {
  api_id             = aws_apigatewayv2_api.edge.id
  route_key          = "GET /ops/health"
  target             = "integrations/${aws_apigatewayv2_integration.handler.id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "v1" {
  api_id      = aws_apigatewayv2_api.edge.id
  name        = "v1"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = 200
    throttling_burst_limit = 400
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.edge.arn

    format = jsonencode({
      request = "$context.requestId"
      route   = "$context.routeKey"
      status  = "$context.status"
    })
  }
}

resource "aws_cloudwatch_log_group" "edge" {
  name              = "/fraud-platform/dev_full/ig"
  retention_in_days = 14
}

resource "aws_glue_registry" "bus" {
  registry_name = local.name
}

locals {
  schemas = {
    "fp.control.anchor.v1" = {
      type = "record", name = "ControlAnchor", namespace = "fp.control"
      fields = [
        { name = "phase_execution_id", type = "string" },
        { name = "anchored_at_utc", type = "string" },
      ]
    }
    "fp.bus.traffic.fraud.v1" = {
      type = "record", name = "FraudTraffic", namespace = "fp.bus.traffic"
      fields = [
        { name = "event_id", type = "string" },
        { name = "platform_run_id", type = "string" },
        { name = "score", type = ["null", "double"], default = null },
      ]
    }
  }
}

resource "aws_glue_schema" "bus" {
  for_each          = local.schemas
  registry_arn      = aws_glue_registry.bus.arn
  schema_name       = each.key
  data_format       = "AVRO"
  compatibility     = "BACKWARD"
  schema_definition = jsonencode(each.value)
}

locals {
  # What each state machine records in the evidence bucket when it is done: its own word, with the execution behind it.
  state_machines = {
    platform_run = {
      name    = "${local.name}-platform-run-v0"
      state   = "CommitReady"
      comment = "Runs the platform, and alone commits READY"
      key     = "States.Format('evidence/runs/{}/sr/ready_commit_receipt.json', $.platform_run_id)"
    }
    learning_gate = {
      name    = "${local.name}-learning-gate-v0"
      state   = "RecordGate"
      comment = "Decides whether a model may be trained and published"
      key     = "States.Format('evidence/runs/{}/learning/gate_receipt.json', $.platform_run_id)"
    }
    final_verdict = {
      name    = "${local.name}-final-verdict-v0"
      state   = "RecordVerdict"
      comment = "Gathers the verdicts of a run into one"
      key     = "States.Format('evidence/runs/{}/verdict/final_verdict.json', $.platform_run_id)"
    }
  }
}

resource "aws_sfn_state_machine" "platform" {
  for_each = local.state_machines
  name     = each.value.name
  role_arn = aws_iam_role.orchestrator.arn

  definition = jsonencode({
    Comment = each.value.comment
    StartAt = each.value.state
    States = {
      (each.value.state) = {
        Type     = "Task"
        Resource = "arn:aws:states:::aws-sdk:s3:putObject"
        Parameters = {
          Bucket  = local.core.s3_evidence_bucket
          "Key.$" = each.value.key
          Body    = { "execution.$" = "$$.Execution.Id", "committed_at.$" = "$$.State.EnteredTime", "input.$" = "$" }
        }
        End = true
      }
    }
  })

  depends_on = [aws_iam_role_policy.orchestrator]
}

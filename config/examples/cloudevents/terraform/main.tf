# Pushes to ECR become CloudEvents at the webhook server:
# rule (which events) -> target with input transformer (their form) -> API destination (where to) with connection (the secret).

data "aws_caller_identity" "current" {}

locals {
  announcements = merge(
    {
      push = {
        detail_type = "ECR Image Action"
        action      = "PUSH"
        event_type  = "com.amazon.ecr.image.push"
      }
    },
    var.include_replication ? {
      replication = {
        detail_type = "ECR Replication Action"
        action      = "REPLICATE"
        event_type  = "com.amazon.ecr.image.replicate"
      }
    } : {},
  )

  # A null in a pattern would be matched as a null, so an empty filter has to leave the key out.
  repositories = length(var.ecr_repository_filter) == 0 ? {} : {
    repository-name = [for name in var.ecr_repository_filter : { wildcard = name }]
  }
}

resource "aws_cloudwatch_event_rule" "ecr" {
  for_each = local.announcements

  name        = "${var.name}-ecr-${each.key}"
  description = "Tags in ECR: ${each.value.action}"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = [each.value.detail_type]
    detail = merge(
      {
        action-type = [each.value.action]
        result      = ["SUCCESS"]
        # The manifests of single platforms are pushed without a tag. Nobody tracks those.
        image-tag = [{ exists = true }]
      },
      local.repositories,
    )
  })
}

resource "aws_cloudwatch_event_connection" "webhook" {
  name               = "${var.name}-webhook"
  description        = "The secret of the webhook server of argocd-image-updater"
  authorization_type = "API_KEY"

  auth_parameters {
    api_key {
      key   = "X-Webhook-Secret"
      value = var.webhook_secret
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "webhook" {
  name                             = "${var.name}-webhook"
  description                      = "The webhook server of argocd-image-updater"
  connection_arn                   = aws_cloudwatch_event_connection.webhook.arn
  http_method                      = "POST"
  invocation_endpoint              = var.webhook_url
  invocation_rate_limit_per_second = var.invocations_per_second
}

resource "aws_cloudwatch_event_target" "webhook" {
  for_each = local.announcements

  rule      = aws_cloudwatch_event_rule.ecr[each.key].name
  target_id = "${var.name}-webhook"
  arn       = aws_cloudwatch_event_api_destination.webhook.arn
  role_arn  = aws_iam_role.eventbridge.arn

  input_transformer {
    input_paths = {
      id      = "$.id"
      time    = "$.time"
      account = "$.account"
      region  = "$.region"
      repo    = "$.detail.repository-name"
      digest  = "$.detail.image-digest"
      tag     = "$.detail.image-tag"
    }

    # No jsonencode: it would escape the angle brackets of the variables.
    input_template = <<-JSON
      {
        "specversion": "1.0",
        "id": "<id>",
        "type": "${each.value.event_type}",
        "source": "urn:aws:ecr:<region>:<account>:repository/<repo>",
        "subject": "<repo>:<tag>",
        "time": "<time>",
        "datacontenttype": "application/json",
        "data": {
          "repositoryName": "<repo>",
          "imageDigest": "<digest>",
          "imageTag": "<tag>",
          "registryId": "<account>"
        }
      }
    JSON
  }

  retry_policy {
    maximum_event_age_in_seconds = var.maximum_event_age_seconds
    maximum_retry_attempts       = 185
  }

  dynamic "dead_letter_config" {
    for_each = var.dead_letter_queue_arn == null ? [] : [var.dead_letter_queue_arn]

    content {
      arn = dead_letter_config.value
    }
  }
}

# EventBridge may call the API destination, for rules of this account alone.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "invoke" {
  statement {
    actions   = ["events:InvokeApiDestination"]
    resources = [aws_cloudwatch_event_api_destination.webhook.arn]
  }
}

resource "aws_iam_role" "eventbridge" {
  name_prefix        = "${var.name}-"
  description        = "Lets EventBridge call the webhook server of argocd-image-updater"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "invoke" {
  name   = "invoke-api-destination"
  role   = aws_iam_role.eventbridge.id
  policy = data.aws_iam_policy_document.invoke.json
}

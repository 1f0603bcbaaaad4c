output "rule_arns" {
  description = "The rules, by what they announce."
  value       = { for name, rule in aws_cloudwatch_event_rule.ecr : name => rule.arn }
}

output "api_destination_arn" {
  description = "Where EventBridge delivers."
  value       = aws_cloudwatch_event_api_destination.webhook.arn
}

output "connection_arn" {
  description = "What holds the secret for EventBridge."
  value       = aws_cloudwatch_event_connection.webhook.arn
}

output "role_arn" {
  description = "The role that EventBridge takes to deliver."
  value       = aws_iam_role.eventbridge.arn
}

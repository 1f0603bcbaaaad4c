variable "webhook_url" {
  description = "URL of the webhook server, such as https://updater.example.com/webhook?type=cloudevents. EventBridge demands a certificate that a public authority signed."
  type        = string

  validation {
    condition     = can(regex("^https://[^?]+/webhook\\?(.*&)?type=cloudevents(&|$)", var.webhook_url))
    error_message = "Give an https URL that ends in /webhook?type=cloudevents."
  }
}

variable "webhook_secret" {
  description = "The secret that the server knows as webhook.cloudevents-secret. It is sent in the header X-Webhook-Secret."
  type        = string
  sensitive   = true

  validation {
    condition     = length(trimspace(var.webhook_secret)) > 0
    error_message = "An empty secret is no secret."
  }
}

variable "name" {
  description = "Prefix of the names of everything that is created."
  type        = string
  default     = "argocd-image-updater"
}

variable "ecr_repository_filter" {
  description = "Repositories whose pushes are announced. * stands for any text, as in team/*. Empty: all of the account in this region."
  type        = list(string)
  default     = []
}

variable "include_replication" {
  description = "Also announce images that ECR replicated into this account and region. For clusters that pull from a replica: there the push itself is announced before the image can be pulled."
  type        = bool
  default     = false
}

variable "invocations_per_second" {
  description = "How many deliveries a second EventBridge may make. More wait at EventBridge."
  type        = number
  default     = 10
}

variable "maximum_event_age_seconds" {
  description = "How long EventBridge tries to deliver an event that the server could not take, from 60 to 86400."
  type        = number
  default     = 3600
}

variable "dead_letter_queue_arn" {
  description = "An SQS queue for events that could not be delivered. Its policy must let events.amazonaws.com send to it. Null: such events are dropped."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that is created."
  type        = map(string)
  default     = {}
}

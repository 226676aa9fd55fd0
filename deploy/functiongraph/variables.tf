variable "region" {
  type        = string
  description = "The region that the functions are in, and that they call."

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]{1,3}$", var.region))
    error_message = "It must be a region of Huawei Cloud, like cn-north-4."
  }
}

variable "project_id" {
  type        = string
  description = "The project that the functions call."

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,64}$", var.project_id))
    error_message = "It must be the id of a project, 32 hexadecimal characters as a rule."
  }
}

variable "project_name" {
  type        = string
  default     = ""
  description = "The name of that project, for agencies that are made here; the region's name if empty."
}

variable "prefix" {
  type        = string
  default     = "hongyan"
  description = "What the names of everything made here begin with."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.prefix))
    error_message = "It must be 2 to 16 lower-case letters, digits and hyphens, the first a letter."
  }
}

variable "package" {
  type        = string
  default     = "../../dist/hongyan-functiongraph.zip"
  description = "The zip that `flask package functiongraph` makes."
}

variable "runtime" {
  type        = string
  default     = "Python3.12"
  description = "The Python that the zip was made for: `flask package functiongraph --python 3.10` for the older one."

  validation {
    condition     = contains(["Python3.10", "Python3.12"], var.runtime)
    error_message = "FunctionGraph has Python3.10 and Python3.12 of those that the project runs on."
  }
}

variable "memory_size" {
  type        = number
  default     = 512
  description = "The memory of each function, in MB."

  validation {
    condition     = contains([256, 512, 768, 1024, 1280, 1536, 1792, 2048], var.memory_size)
    error_message = "It must be 256, 512, 768, 1024, 1280, 1536, 1792 or 2048."
  }
}

variable "timeout" {
  type        = number
  default     = 30
  description = "Seconds after which an invocation is stopped."

  validation {
    condition     = var.timeout >= 3 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "It must be a whole number from 3 to 900."
  }
}

variable "deadline_s" {
  type        = number
  default     = 20
  description = "Seconds that one call may take; less than `timeout`."

  validation {
    condition     = var.deadline_s >= 0.5 && var.deadline_s <= 899
    error_message = "It must be from 0.5 to 899."
  }
}

variable "max_instances" {
  type        = number
  default     = 10
  description = "Instances of each function, each with one invocation at a time: times `pool_size` so many calls reach the cloud at once."

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 1000 && floor(var.max_instances) == var.max_instances
    error_message = "It must be a whole number from 1 to 1000."
  }
}

variable "pool_size" {
  type        = number
  default     = 32
  description = "Messages of one event that a function works on at once, and the connections that it keeps."

  validation {
    condition     = var.pool_size >= 1 && var.pool_size <= 256 && floor(var.pool_size) == var.pool_size
    error_message = "It must be a whole number from 1 to 256."
  }
}

variable "event_prefix" {
  type        = string
  default     = "hongyan"
  description = "The first part of every event type."

  validation {
    condition     = can(regex("^[a-z0-9]+([.-][a-z0-9]+)*$", var.event_prefix))
    error_message = "It must be lower-case words joined by dots, like com.example.hongyan."
  }
}

variable "allowed_projects" {
  type        = list(string)
  default     = []
  description = "Further projects that a payload may name."

  validation {
    condition     = alltrue([for each in var.allowed_projects : can(regex("^[A-Za-z0-9-]{1,64}$", each))])
    error_message = "Each must be the id of a project."
  }
}

variable "on_final_failure" {
  type        = string
  default     = "dead-letter"
  description = "What becomes of a message that can never succeed: failed, so that it reaches `failure_topic`, or acknowledged."

  validation {
    condition     = contains(["dead-letter", "acknowledge"], var.on_final_failure)
    error_message = "It must be dead-letter or acknowledge."
  }
}

variable "senders_file" {
  type        = string
  default     = ""
  description = "The senders file in the zip, as senders.toml: who may send signed requests."
}

variable "log_level" {
  type        = string
  default     = "INFO"
  description = "The lowest level that is logged."

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "It must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_days" {
  type        = number
  default     = 30
  description = "How many days logs are kept. Result events of queues, topics and timers are in them."

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 365 && floor(var.log_days) == var.log_days
    error_message = "It must be a whole number from 1 to 365."
  }
}

# Whose permissions a function calls the cloud with: an agency of its own (`roles`), one that is there already (`agency`), or an access key.
variable "roles" {
  type        = map(list(string))
  default     = {}
  description = "IAM policies of an operation's own agency, as {\"elb.list_members\" = [\"ELB ReadOnlyAccess\"]}: no more than it needs."

  validation {
    condition     = alltrue([for roles in values(var.roles) : length(roles) > 0])
    error_message = "An agency needs one role or more: leave out the operations that have none."
  }
}

variable "agency" {
  type        = string
  default     = ""
  description = "The agency of all operations that `roles` does not name."
}

variable "access_key" {
  type        = string
  default     = ""
  sensitive   = true
  description = "An access key, where no agency is wanted. It is encrypted in the function, and readable in Terraform's state."
}

variable "secret_key" {
  type        = string
  default     = ""
  sensitive   = true
  description = "The secret key of `access_key`."
}

# What invokes the functions.
variable "gateway" {
  type = object({
    instance_id = string
    group_id    = string
    auth        = optional(string, "IAM")
    env_name    = optional(string, "RELEASE")
    env_id      = optional(string, "DEFAULT_ENVIRONMENT_RELEASE_ID")
  })
  default     = null
  description = "A dedicated API gateway. IAM, APP: it authenticates who calls /functions/<operation>. NONE: open, for signed hooks only."

  validation {
    condition     = var.gateway == null || contains(["IAM", "APP", "NONE"], try(var.gateway.auth, ""))
    error_message = "Its auth must be IAM, APP or NONE."
  }
}

variable "topics" {
  type        = map(string)
  default     = {}
  description = "The URN of an SMN topic by operation; needs `failure_topic`."

  validation {
    condition     = alltrue([for urn in values(var.topics) : can(regex("^urn:smn:", urn))])
    error_message = "Each must be the URN of an SMN topic."
  }
}

variable "kafka" {
  type = map(object({
    instance_id              = string
    topic_ids                = list(string)
    batch_size               = optional(number, 100)
    user                     = optional(string)
    encrypted_kafka_password = optional(string)
  }))
  default     = {}
  description = "A DMS for Kafka instance and its topics by operation; needs `failure_topic`, a VPC and an agency that may manage VPCs."

  validation {
    condition     = alltrue([for each in values(var.kafka) : each.batch_size >= 1 && each.batch_size <= 1000])
    error_message = "A batch has 1 to 1000 messages."
  }
}

variable "timers" {
  type = map(object({
    operation     = string
    schedule_type = optional(string, "Rate")
    schedule      = string
    payload       = string
  }))
  default     = {}
  description = "Timers by name: the operation, when (Rate: 3m, 2h, 1d; Cron: a cron expression), and its payload as JSON."

  validation {
    condition     = alltrue([for each in values(var.timers) : can(keys(jsondecode(each.payload)))])
    error_message = "A payload is a text, and in it a JSON object."
  }
  validation {
    condition     = alltrue([for each in values(var.timers) : contains(["Rate", "Cron"], each.schedule_type)])
    error_message = "The type of a schedule is Rate or Cron."
  }
}

variable "vpc_id" {
  type        = string
  default     = null
  description = "The VPC that the functions are in, for Kafka."
}

variable "network_id" {
  type        = string
  default     = null
  description = "The network of a subnet of `vpc_id`."
}

# What becomes of an asynchronous invocation that failed: of topics, of Kafka.
variable "retries" {
  type        = number
  default     = 2
  description = "How often it is tried again."

  validation {
    condition     = contains([0, 1, 2, 3], var.retries)
    error_message = "It must be 0, 1, 2 or 3."
  }
}

variable "max_age_s" {
  type        = number
  default     = 3600
  description = "Seconds after which it is given up."

  validation {
    condition     = var.max_age_s >= 1 && var.max_age_s <= 86400 && floor(var.max_age_s) == var.max_age_s
    error_message = "It must be a whole number from 1 to 86400."
  }
}

variable "failure_topic" {
  type        = string
  default     = ""
  description = "The URN of an SMN topic for what was given up, the dead letters; `topics` and `kafka` need it. The agency publishes to it."

  validation {
    condition     = var.failure_topic == "" || can(regex("^urn:smn:", var.failure_topic))
    error_message = "It must be the URN of an SMN topic."
  }
}

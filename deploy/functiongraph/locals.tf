locals {
  # The folder is the registry: functions/elb_list_members.py is elb.list_members.
  files      = fileset("${path.module}/../../functions", "*.py")
  parts      = [for file in local.files : regex("^([a-z0-9]+)_(.+)\\.py$", file) if can(regex("^[a-z0-9]+_.+\\.py$", file))]
  operations = toset([for part in local.parts : join(".", part)])
  names      = { for operation in local.operations : operation => "${var.prefix}-${replace(operation, ".", "-")}" }

  # Twenty variables of 4 KB in all is what FunctionGraph takes.
  variables = {
    for operation in local.operations : operation => {
      for name, value in {
        HUAWEICLOUD_SDK_REGION     = var.region
        HUAWEICLOUD_SDK_PROJECT_ID = var.project_id
        HONGYAN_ALLOWED_PROJECTS   = join(",", var.allowed_projects)
        HONGYAN_DEADLINE_S         = tostring(var.deadline_s)
        HONGYAN_EVENT_PREFIX       = var.event_prefix
        HONGYAN_LOG_LEVEL          = var.log_level
        HONGYAN_ON_FINAL_FAILURE   = var.on_final_failure
        HONGYAN_OPERATION          = operation
        HONGYAN_POOL_SIZE          = tostring(var.pool_size)
        HONGYAN_SENDERS            = var.senders_file
        # APIG's event does not say who called, so the function is told here that nobody gets past the gateway without being authenticated.
        # It believes that of every path but those with `hooks` in them, so an open trigger beside this one must not let in any other.
        HONGYAN_GATEWAY_AUTHENTICATES = local.authenticated ? "true" : ""
      } : name => value if value != ""
    }
  }

  keys     = var.access_key == "" ? null : jsonencode({ HUAWEICLOUD_SDK_AK = var.access_key, HUAWEICLOUD_SDK_SK = var.secret_key })
  agencies = { for operation in local.operations : operation => try(huaweicloud_identity_agency.own[operation].name, var.agency) }

  authenticated = try(var.gateway.auth != "NONE", false)
  open          = try(var.gateway.auth == "NONE", false)
  routes = {
    for operation in local.operations : operation => {
      name        = replace(local.names[operation], "-", "_")
      instance_id = var.gateway.instance_id
      group_id    = var.gateway.group_id
      env_name    = var.gateway.env_name
      env_id      = var.gateway.env_id
      auth        = var.gateway.auth
      type        = 1
      protocol    = "HTTPS"
      path        = local.open ? "/${operation}/hooks" : "/functions/${operation}"
      match_mode  = local.open ? "SWA" : "NORMAL" # SWA: whatever begins so.
      req_method  = local.open ? "ANY" : "POST"
      func_info   = { timeout = min(var.timeout, 60) * 1000 } # Milliseconds.
    } if var.gateway != null
  }

  topics = { for operation, urn in var.topics : operation => { topic_urn = urn } }

  queues = {
    for operation, each in var.kafka : operation => {
      for name, value in {
        instance_id              = each.instance_id
        topic_ids                = each.topic_ids
        batch_size               = each.batch_size
        kafka_user               = each.user
        encrypted_kafka_password = each.encrypted_kafka_password
      } : name => value if value != null
    }
  }

  timers = {
    for name, each in var.timers : name => {
      operation = each.operation
      data = {
        name          = name
        schedule_type = each.schedule_type
        schedule      = each.schedule
        user_event    = each.payload
      }
    }
  }

  # All triggers by one key: kind, and operation or name.
  triggers = merge(
    { for key, data in local.routes : "gateway/${key}" => { type = "DEDICATEDGATEWAY", operation = key, data = jsonencode(data) } },
    { for key, data in local.topics : "topic/${key}" => { type = "SMN", operation = key, data = jsonencode(data) } },
    { for key, data in local.queues : "kafka/${key}" => { type = "KAFKA", operation = key, data = jsonencode(data) } },
    { for key, each in local.timers : "timer/${key}" => { type = "TIMER", operation = each.operation, data = jsonencode(each.data) } },
  )

  # Types of triggers that do not wait for an answer: FunctionGraph tries what failed again, and gives it up in the end.
  asynchronous = ["SMN", "KAFKA"]

  # Operations that are named in variables, and that there is no function for.
  strangers = setsubtract(toset(concat(keys(var.roles), [for each in values(local.triggers) : each.operation])), local.operations)
}

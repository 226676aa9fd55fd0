resource "huaweicloud_identity_agency" "own" {
  for_each = { for operation, roles in var.roles : operation => roles if contains(local.operations, operation) }

  name                   = local.names[each.key]
  description            = "What ${each.key} may do."
  delegated_service_name = "op_svc_cff" # FunctionGraph.

  project_role {
    project = coalesce(var.project_name, var.region)
    roles   = each.value
  }
}

resource "huaweicloud_lts_group" "logs" {
  group_name  = var.prefix
  ttl_in_days = var.log_days
}

resource "huaweicloud_lts_stream" "logs" {
  for_each = local.operations

  group_id    = huaweicloud_lts_group.logs.id
  stream_name = local.names[each.key]
}

resource "huaweicloud_fgs_function" "operation" {
  for_each = local.operations

  name                = local.names[each.key]
  description         = each.key
  app                 = "default"
  agency              = local.agencies[each.key] == "" ? null : local.agencies[each.key]
  handler             = "index.handler"
  runtime             = var.runtime
  memory_size         = var.memory_size
  timeout             = var.timeout
  max_instance_num    = tostring(var.max_instances)
  concurrency_num     = 1 # Several invocations in one instance would wait for each other's threads, past their deadlines.
  code_type           = "zip"
  code_filename       = basename(var.package)
  func_code           = filebase64(var.package)
  user_data           = jsonencode(local.variables[each.key])
  encrypted_user_data = local.keys
  vpc_id              = var.vpc_id
  network_id          = var.network_id
  log_group_id        = huaweicloud_lts_group.logs.id
  log_group_name      = huaweicloud_lts_group.logs.group_name
  log_stream_id       = huaweicloud_lts_stream.logs[each.key].id
  log_stream_name     = huaweicloud_lts_stream.logs[each.key].stream_name

  lifecycle {
    precondition {
      condition     = var.deadline_s < var.timeout
      error_message = "deadline_s must be less than timeout, so that a call ends before its function is stopped."
    }
    precondition {
      condition     = (var.access_key == "") == (var.secret_key == "")
      error_message = "access_key and secret_key belong together."
    }
    precondition {
      condition     = local.agencies[each.key] != "" || var.access_key != ""
      error_message = "${each.key} has no permissions: name it in roles, or give agency, or access_key and secret_key."
    }
    precondition {
      condition     = !local.open || var.senders_file != ""
      error_message = "An open gateway is for signed hooks: without senders_file the functions refuse everybody."
    }
    precondition {
      condition     = length(local.strangers) == 0
      error_message = "There is no such operation: ${join(", ", local.strangers)}."
    }
    precondition {
      condition     = length(var.kafka) == 0 || (var.vpc_id != null && var.network_id != null)
      error_message = "Kafka is reached through a VPC: set vpc_id and network_id."
    }
  }
}

# The cloud adds to what a trigger was made with, which is no change of ours: a trigger is made anew when ours changes.
resource "terraform_data" "trigger" {
  for_each = local.triggers

  input = each.value.data
}

resource "huaweicloud_fgs_function_trigger" "each" {
  for_each = { for key, trigger in local.triggers : key => trigger if contains(local.operations, trigger.operation) }

  function_urn = huaweicloud_fgs_function.operation[each.value.operation].urn
  type         = each.value.type
  status       = "ACTIVE"
  event_data   = each.value.data

  # Nothing comes in before it is said what becomes of it when it fails.
  depends_on = [huaweicloud_fgs_async_invoke_configuration.operation]

  lifecycle {
    ignore_changes       = [event_data]
    replace_triggered_by = [terraform_data.trigger[each.key]]

    # What is worth another try has no result event, since the next try's has the same id: given up without a destination it would be gone.
    precondition {
      condition     = !contains(local.asynchronous, each.value.type) || var.failure_topic != ""
      error_message = "${each.key} needs failure_topic: without it, a message that is given up after its retries is lost."
    }
    precondition {
      condition     = !contains(local.asynchronous, each.value.type) || local.agencies[each.value.operation] != ""
      error_message = "${each.key} needs an agency for ${each.value.operation}, in roles or agency: it publishes to failure_topic."
    }
    precondition {
      condition     = each.value.type != "SMN" || lookup(var.topics, each.value.operation, "") != var.failure_topic
      error_message = "${each.key} is failure_topic itself: what is given up would come in again, and again."
    }
  }
}

resource "huaweicloud_fgs_async_invoke_configuration" "operation" {
  for_each = local.operations

  function_urn                   = huaweicloud_fgs_function.operation[each.key].urn
  max_async_event_age_in_seconds = var.max_age_s
  max_async_retry_attempts       = var.retries

  dynamic "on_failure" {
    for_each = var.failure_topic == "" ? [] : [var.failure_topic]

    content {
      destination = "SMN"
      param       = jsonencode({ topic_urn = on_failure.value })
    }
  }
}

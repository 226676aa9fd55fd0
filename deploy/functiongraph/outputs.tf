output "functions" {
  description = "The URN of each operation's function."
  value       = { for operation, function in huaweicloud_fgs_function.operation : operation => function.urn }
}

output "paths" {
  description = "What is called at the gateway's address, by operation."
  value       = { for operation, route in local.routes : operation => route.path }
}

output "agencies" {
  description = "The agency that each operation calls the cloud with; empty where that is an access key."
  value       = local.agencies
}

output "log_group" {
  description = "The LTS log group, with a stream for each operation."
  value       = huaweicloud_lts_group.logs.group_name
}

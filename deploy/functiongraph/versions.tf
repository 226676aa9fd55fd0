# Hongyan on Huawei FunctionGraph: one function per file of functions/, so that there is no list to edit. docs/deploying.md says how.
terraform {
  required_version = ">= 1.5"

  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = ">= 1.73.1"
    }
  }
}

# Its own access key comes from HW_ACCESS_KEY and HW_SECRET_KEY, never from here.
provider "huaweicloud" {
  region = var.region
}

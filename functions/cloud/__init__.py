"""The API that functions call: one client for every Huawei Cloud service."""

"""The cloud on this machine: IAM and the operations, over HTTP or in process, written from the API pages."""

"""What we do: one file per cloud operation; the folder is the registry."""

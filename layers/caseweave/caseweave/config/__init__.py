"""The desk's configuration files: read, validated, turned into the domain's `Desk`."""

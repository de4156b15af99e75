"""The DynamoDB table: the only importer of pynamodb. Functions are named after access patterns."""

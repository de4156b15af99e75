"""AWS beside DynamoDB: the only importer of boto3. Clients are made on first use and kept."""

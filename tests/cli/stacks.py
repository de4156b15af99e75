"""A deployed stack, as far as CloudFormation tells of it; inside `mock_aws` only."""

import json

import boto3


def deploy(name, outputs, **settings):
    template = {
        "Parameters": {name: {"Type": "String"} for name in settings},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    boto3.client("cloudformation", region_name="us-east-1").create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in settings.items()],
    )

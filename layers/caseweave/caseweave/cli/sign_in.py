"""`caseweave token`: sign in to the local stack as somebody of a role."""

from pathlib import Path

import click
from botocore.exceptions import ClientError

from caseweave.cli.local_stack import local_client, read_outputs, read_secrets
from caseweave.cli.state_dir import state_dir_option

ROLES = ("agent", "lead", "admin", "auditor")


@click.command()
@state_dir_option
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--name", help="Whose token; by default the role's own user.")
def token(state_dir: Path, role: str, name: str | None) -> None:
    """Print an ID token for the agents' API, for a user of this role.

    The user <name>@caseweave.local is made when there is none.
    """
    click.echo(id_token(state_dir, role, name or role))


def id_token(state_dir: Path, role: str, name: str) -> str:
    """Make sure that the user exists and has the role, and sign in."""
    outputs = read_outputs(state_dir)
    pool, username = outputs["UserPoolId"], f"{name}@caseweave.local"
    password = read_secrets(state_dir)["users"]["password"]
    cognito = local_client("cognito-idp", outputs["EndpointUrl"])
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=username,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": username},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "name", "Value": name},
            ],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "UsernameExistsException":
            raise
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=username, Password=password, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=role)
    answer = cognito.initiate_auth(
        ClientId=outputs["UserPoolClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])

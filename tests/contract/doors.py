"""Each provider's door, as its function opens it, on a stored world whose time stands still."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import boto3

from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS, VOICE
from caseweave.channels.request import WebhookRequest
from caseweave.domain.reference import make_reference
from caseweave.hosted_mail_intake import receive_hosted_mail
from caseweave.intake import Door, Drawn, take_in
from caseweave.sns_intake import receive_sns
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import receive_webhook
from tests.channels import test_sns, wecom_samples
from tests.contract.specimen import Specimen
from tests.usecases.conftest import KEYS

YEAR = timedelta(days=365)
FILES = "files-of-the-contract"


class DrawnFromIds(Mapping):
    """What of a case is drawn at random elsewhere follows from its id here."""

    def __getitem__(self, case_id):
        drawn = sha256(case_id.encode())
        return Drawn(make_reference(drawn.digest()[:5]), drawn.hexdigest())

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


DOOR = Door("frontline", KEYS, bytes, drawn=DrawnFromIds())


def make_bucket():
    """The bucket of the files that come with a mail; inside `mock_aws` only."""
    boto3.client("s3").create_bucket(Bucket=FILES)


@dataclass(frozen=True)
class Post:
    """Who brings the requests of a provider, always at the same moment."""

    specimen: Specimen
    now: datetime

    def sign(self, request: WebhookRequest) -> WebhookRequest:
        return self.specimen.sign(request, "new")

    def deliver(self, request: WebhookRequest) -> None:
        """What the function of the door does with a signed request; it says that it has it."""
        specimen, now = self.specimen, self.now
        provider, credentials = specimen.adapter.PROVIDER, specimen.holding(["new", "old"])
        if specimen.name == "wecom-kf":
            raw = RawInput(provider, wecom_samples.KFID, now, YEAR, request.body)
            take_in(specimen.parse(request), raw, DOOR)
            return
        if specimen.adapter in MAIL.values():
            answer = receive_hosted_mail(
                provider, MAIL, request, FILES, lambda _: credentials, lambda: DOOR, YEAR, now
            )
        elif provider == "aws":
            pem = test_sns.certificate("new").encode()
            answer = receive_sns(
                request, lambda _: credentials, lambda: DOOR, lambda _: pem, YEAR, now
            )
        else:
            providers = next(
                registry
                for registry in (VOICE, SMS, MESSENGERS)
                if registry.get(provider) is specimen.adapter
            )
            answer = receive_webhook(
                provider, providers, request, lambda _: credentials, lambda: DOOR, YEAR, now
            )
        assert answer.status == 200

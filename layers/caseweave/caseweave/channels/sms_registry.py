"""Which providers of short messages and of calls there are. A function loads only its own."""

from caseweave.channels import aliyun, aws_sms, tencent, twilio, twilio_voice, vonage
from caseweave.channels.protocols import Provider

SMS: dict[str, Provider] = {
    "aliyun": aliyun,
    "aws": aws_sms,
    "tencent": tencent,
    "twilio": twilio,
    "vonage": vonage,
}
VOICE: dict[str, Provider] = {"twilio": twilio_voice}

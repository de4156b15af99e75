"""Customers' files, from the provider to the agent: fetched, kept, shown; or visibly not there."""

import base64
import itertools
import json
import time
from io import BytesIO

from PIL import Image

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call, call_json
from tests.stack.conftest import wait_for
from tests.stack.test_providers import Providers, case_with

_numbers = itertools.count(81_000_000)


def draw(size=(800, 400), kind="PNG"):
    drawn = BytesIO()
    Image.new("RGB", size, (next(_numbers) % 256, 90, 40)).save(drawn, kind)
    return drawn.getvalue()


def hand_out(stack, file_id, content, media_type, troubles=0):
    """Let the provider sink have a file under this id, after some failures."""
    said = {
        "id": file_id,
        "content": base64.b64encode(content).decode(),
        "media_type": media_type,
        "troubles": troubles,
    }
    assert call_json("POST", f"{stack.outside.outputs['SinkUrl']}/_sink/files", said).status == 201


def send_photo(stack, user_id, file_id, caption):
    number = next(_numbers)
    message = {
        "message_id": number,
        "from": {"id": user_id, "is_bot": False, "first_name": "Lin"},
        "chat": {"id": user_id, "type": "private"},
        "date": int(time.time()),
        "caption": caption,
        "photo": [{"file_id": "small", "file_size": 1}, {"file_id": file_id, "file_size": 900}],
    }
    assert stack.outside.post_telegram({"update_id": number, "message": message}).status == 200


def attachments_of(stack, agent, body, state):
    """The attachments of the message with this body, once the first is in *state*."""
    name = case_with(stack, agent, body)["case"]["id"]

    def reached():
        messages = agent.read_case(name)["messages"]
        found = next(m["attachments"] for m in messages if m["body"].strip() == body)
        return found if found[0]["state"] == state else None

    return name, wait_for(reached, f"a file that is {state}", 60)


def test_a_telegram_photo_is_kept_and_shown_with_a_thumbnail(stack, agent):
    content, user = draw(kind="JPEG"), next(_numbers)
    hand_out(stack, f"photo-{user}", content, "image/jpeg")
    send_photo(stack, user, f"photo-{user}", f"photo {user}")

    name, (photo,) = attachments_of(stack, agent, f"photo {user}", "stored")

    assert photo["media_type"] == "image/jpeg"
    assert photo["size"] == len(content)
    assert call("GET", photo["url"]).body == content
    small = Image.open(BytesIO(call("GET", photo["thumbnail_url"]).body))
    assert (small.format, small.size) == ("JPEG", (320, 160))
    events = [e for e in agent.read_case(name)["events"] if e["kind"] == "attachment_stored"]
    assert [e["private"]["digest"] for e in events] == [photo["sha256"]]


def test_what_whatsapp_calls_an_image_is_served_as_what_it_is(stack, agent):
    phone, media_id = f"86137{next(_numbers)}", str(next(_numbers))
    page = b"<html><script>alert(1)</script></html>"
    hand_out(stack, media_id, page, "image/jpeg")
    image = {"id": media_id, "mime_type": "image/jpeg", "caption": f"whatsapp {phone}"}
    message = {
        "from": phone,
        "id": f"wamid.{media_id}",
        "timestamp": str(int(time.time())),
        "type": "image",
        "image": image,
    }
    reply = Providers(stack.outside).whatsapp(
        {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550001", "phone_number_id": "1065"},
            "contacts": [{"profile": {"name": "Lin"}, "wa_id": phone}],
            "messages": [message],
        }
    )
    assert reply.status == 200

    _, (file,) = attachments_of(stack, agent, f"whatsapp {phone}", "stored")

    assert (file["media_type"], file["declared_type"]) == ("text/html", "image/jpeg")
    assert file["thumbnail_url"] is None
    served = call("GET", file["url"])
    assert served.body == page
    assert served.headers["Content-Type"] == "application/octet-stream"
    assert served.headers["Content-Disposition"].startswith("attachment")


def test_a_file_that_the_provider_does_not_have_is_unavailable_and_costs_no_message(stack, agent):
    user = next(_numbers)
    send_photo(stack, user, f"nobody-knows-{user}", f"gone {user}")

    name, (photo,) = attachments_of(stack, agent, f"gone {user}", "unavailable")

    assert (photo["reason"], photo["url"], photo["thumbnail_url"]) == ("gone", None, None)
    assert photo["detail"] == (
        "400 Bad Request: wrong file_id or the file is temporarily unavailable"
    )
    kinds = [event["kind"] for event in agent.read_case(name)["events"]]
    assert kinds.count("attachment_unavailable") == 1


def test_a_provider_in_trouble_is_asked_again(stack, agent):
    content, user = draw(), next(_numbers)
    hand_out(stack, f"later-{user}", content, "image/png", troubles=1)
    send_photo(stack, user, f"later-{user}", f"later {user}")

    _, (photo,) = attachments_of(stack, agent, f"later {user}", "stored")

    assert call("GET", photo["url"]).body == content


def test_a_picture_in_a_mail_gets_a_thumbnail(stack, agent):
    marker = f"mail with a picture {next(_numbers)}"
    mail = write_mail("kim@example.org", "Receipt", marker)
    mail.add_attachment(draw(), "image", "png", filename="receipt.png")
    stack.outside.deliver_mail(mail)
    name = case_with(stack, agent, marker)["case"]["id"]

    def thumbnail():
        said = next(m for m in agent.read_case(name)["messages"] if m["body"].strip() == marker)
        return said["attachments"][0]["thumbnail_url"]

    small = Image.open(BytesIO(call("GET", wait_for(thumbnail, "a thumbnail", 60)).body))
    assert small.size == (320, 160)


def test_the_media_queue_of_the_deployed_stack_is_empty_afterwards(stack):
    queues = stack.client("sqs")
    urls = [url for url in queues.list_queues()["QueueUrls"] if "MediaDeadQueue" in url]
    assert len(urls) == 1
    counted = queues.get_queue_attributes(QueueUrl=urls[0], AttributeNames=["All"])["Attributes"]
    assert json.loads(counted["ApproximateNumberOfMessages"]) == 0

"""What a page is told to write in a field instead, in both languages."""

from caseweave.domain.forms import word
from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.errors import InvalidRequestError

# `$0` is what the advice is about.
_ADVICE = {
    "required": {
        ENGLISH: "fill this in",
        CHINESE: "请填写此项",
    },
    "text": {
        ENGLISH: "write a text",
        CHINESE: "请填写文字",
    },
    "long": {
        ENGLISH: "write at most $0 characters",
        CHINESE: "最多填写 $0 个字",
    },
    "choice": {
        ENGLISH: "choose one of: $0",
        CHINESE: "请选择其中一项：$0",
    },
    "number": {
        ENGLISH: "write a number such as 12 or 9.50",
        CHINESE: "请填写数字，例如 12 或 9.50",
    },
    "least": {
        ENGLISH: "write $0 or more",
        CHINESE: "不能小于 $0",
    },
    "most": {
        ENGLISH: "write $0 or less",
        CHINESE: "不能大于 $0",
    },
    "email": {
        ENGLISH: "write an address such as name@example.com",
        CHINESE: "请填写邮箱，例如 name@example.com",
    },
    "phone": {
        ENGLISH: "write a number such as +86 138 0013 8000",
        CHINESE: "请填写手机号，例如 +86 138 0013 8000",
    },
    "order_no": {
        ENGLISH: "write the order number: letters, digits and dashes, 4 to 40",
        CHINESE: "请填写订单号:4 到 40 位字母、数字或短横线",
    },
    "pattern": {
        ENGLISH: "write it as described: $0",
        CHINESE: "请按提示填写：$0",
    },
    "files": {
        ENGLISH: "name the tokens of the uploaded files",
        CHINESE: "请填写已上传文件的凭证",
    },
    "most_files": {
        ENGLISH: "attach at most $0 files",
        CHINESE: "最多上传 $0 个文件",
    },
    "upload": {
        ENGLISH: "upload the file again: it is not there, or not yours",
        CHINESE: "请重新上传文件：文件不存在或已失效",
    },
    "upload_type": {
        ENGLISH: "choose a file of a type that is taken here: $0",
        CHINESE: "请选择支持的文件类型：$0",
    },
    "upload_size": {
        ENGLISH: "choose a file of at most $0 bytes",
        CHINESE: "文件不能超过 $0 字节",
    },
    "human_check": {
        ENGLISH: "pass the check that you are human, then send again",
        CHINESE: "请先完成人机验证，再提交",
    },
    "human_check_down": {
        ENGLISH: "the human check cannot be reached now; try again in a minute",
        CHINESE: "人机验证暂时无法使用，请稍后再试",
    },
}
_DETAIL = {ENGLISH: "Some fields need another look.", CHINESE: "部分内容需要修改。"}


def advise(key: str, language: str, about: str = "") -> str:
    return word(_ADVICE[key], language).replace("$0", about)


def refuse(language: str, *errors: tuple[str, str]) -> InvalidRequestError:
    """The error that tells a page which fields to show red, and why."""
    return InvalidRequestError(word(_DETAIL, language), errors)

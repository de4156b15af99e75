"""The words around a case on the terminal, in both languages: (English, Chinese).

What is not in here (categories, team names, policies) is the desk's own and shown as it is.
"""

from caseweave.cli.language import LANGUAGES

LABELS = {
    # head
    "customer": ("Customer", "客户"),
    "subject": ("Subject", "主题"),
    "state": ("State", "状态"),
    "category": ("Category", "类别"),
    "priority": ("Priority", "优先级"),
    "team": ("Team", "团队"),
    "level": ("Level", "层级"),
    "assignee": ("Assignee", "处理人"),
    "channels": ("Channels", "渠道"),
    "opened_at": ("Opened", "创建时间"),
    "due_at": ("Due", "截止时间"),
    "incident_id": ("Incident", "故障"),
    "version": ("Version", "版本"),
    "reference": ("Case", "受理编号"),
    # timeline and events
    "timeline": ("Timeline", "时间线"),
    "events": ("What happened", "事件"),
    "time": ("UTC", "UTC"),
    "channel": ("Channel", "渠道"),
    "author": ("Author", "作者"),
    "text": ("Text", "内容"),
    "delivery": ("Delivery", "送达"),
    "event": ("Event", "事件"),
    "by": ("By", "由"),
    "what": ("What", "说明"),
    "proof": ("proof", "凭证"),
    "file": ("file", "附件"),
    "unproven": ("unknown sender", "未知发件人"),
    "nobody": ("nobody yet", "暂无"),
    "no_cases": ("No cases.", "没有受理单。"),
    # channels
    "web": ("Web", "网页"),
    "sms": ("SMS", "短信"),
    "email": ("Email", "邮件"),
    "messenger": ("Messenger", "即时通讯"),
    "voice": ("Phone", "电话"),
    "offline": ("In person", "线下"),
    "telegram": ("Telegram", "Telegram"),
    "note": ("Note", "备注"),
    # what a message says about an earlier one
    "edit": ("edited an earlier message", "修改了之前的消息"),
    "deletion": ("took back an earlier message", "撤回了之前的消息"),
    "reaction": ("reacted to an earlier message", "回应了之前的消息"),
    "number_change": ("changed the number", "更换了号码"),
    "addition": ("adds to an earlier message", "补充之前的消息"),
    # states of a case
    "new": ("new", "新建"),
    "open": ("open", "处理中"),
    "pending": ("pending", "等待客户"),
    "resolved": ("resolved", "已解决"),
    "closed": ("closed", "已关闭"),
    # states of delivery
    "queued": ("queued", "排队中"),
    "claimed": ("sending", "发送中"),
    "unknown": ("unknown", "未知"),
    "accepted": ("accepted", "已接收"),
    "failed": ("failed", "失败"),
    "delivered": ("delivered", "已送达"),
    "read": ("read", "已读"),
    "complained": ("called spam", "被标为垃圾邮件"),
    # events
    "case_opened": ("opened", "创建"),
    "case_triaged": ("triaged", "分诊"),
    "case_assigned": ("assigned", "分派"),
    "state_changed": ("state", "状态变更"),
    "customer_suggested": ("suggestion", "疑似客户"),
    "address_linked": ("linked", "地址关联"),
    "consent_changed": ("SMS consent", "短信意愿"),
    "opted_out": ("stopped by the customer", "客户已退订"),
    "opted_in": ("allowed again by the customer", "客户已恢复"),
    "case_follows": ("follows", "接续"),
    "sla_started": ("clock", "计时"),
    "sla_warned": ("SLA warning", "时限预警"),
    "sla_breached": ("SLA breach", "时限违约"),
    "case_escalated": ("escalated", "升级"),
    "incident_linked": ("incident", "故障关联"),
    "message_failed": ("not sent", "发送失败"),
    "message_unknown": ("unclear", "结果不明"),
    "answer_withheld": ("not answered", "未自动回复"),
    "erased": ("(erased)", "（已删除）"),
    "attachment_unavailable": ("no file", "附件不可用"),
    "content_revealed": ("shown in full", "查看原文"),
    "content_erased": ("contents erased", "内容已清除"),
    # states of a file, and why there is none
    "file_pending": ("being fetched", "获取中"),
    "file_unavailable": ("unavailable", "不可用"),
    "file_blocked": ("blocked", "已拦截"),
    "virus": ("a virus was found in the mail", "邮件中发现病毒"),
    "executable": ("executable: do not open", "可执行文件，请勿打开"),
    "declared_as": ("claimed to be", "自称"),
    "too_large": ("too large", "文件过大"),
    "gone": ("the provider has it no more", "平台已不再保存"),
    "not_allowed": ("its address is not allowed", "地址不在允许范围内"),
    "refused": ("the provider refuses it", "平台拒绝提供"),
    "unreachable": ("the provider could not be reached", "无法连接平台"),
    "no_source": ("files of this channel cannot be fetched", "该渠道的附件无法获取"),
    "counted": ("counted", "计入"),
    "skipped": ("skipped", "不计"),
}


def label(name: str, language: str) -> str:
    """The word for *name*; names without one are shown as they are."""
    words = LABELS.get(name)
    return words[LANGUAGES.index(language)] if words else name

"""Everything the demo says, in both languages: (English, Chinese). `{…}` is filled in."""

from caseweave.cli.language import LANGUAGES

NARRATION = {
    "title": (
        "A day at the support desk, played over HTTP as providers and browsers really call",
        "客服台的一天:按服务商和浏览器的真实方式,通过 HTTP 演示",
    ),
    # 1: one customer, four channels
    "customer_act": (
        "林小雨 paid for a top-up that does not arrive. She writes on four channels",
        "林小雨充值没到账,先后用了四个渠道联系客服",
    ),
    "earlier_closed": (
        "{ref}, open from an earlier run, was closed first, so that the day starts afresh",
        "先关闭了之前演示留下的 {ref},从头开始这一天",
    ),
    "form": (
        "Web form, signed in with the platform's JWT: top-up has not arrived",
        "网页表单(平台 JWT 登录):充值没到账",
    ),
    "opened": ("Case {ref}", "受理编号 {ref}"),
    "page_answer": ("Her page shows the acknowledgement", "她的页面上出现受理回执"),
    "sms": ("SMS from her phone, signed by Twilio", "从她的手机发短信(Twilio 签名)"),
    "link": (
        "Telegram, opened with the signed link of the acknowledgement",
        "通过回执中的签名链接打开 Telegram",
    ),
    "linked_before": (
        "Telegram, which she linked in an earlier run",
        "Telegram(之前的演示中已关联)",
    ),
    "question": ("She asks on in Telegram", "她在 Telegram 里继续追问"),
    "mail": (
        "Email in Chinese with a screenshot; DMARC pass",
        "带截图的中文邮件,DMARC 通过",
    ),
    "one_case": (
        "Four channels, {messages} messages, ONE case: {ref}",
        "四个渠道,{messages} 条消息,合成一个受理单:{ref}",
    ),
    # 2: the same without proof
    "impostor_act": (
        "Somebody else says that he is 林小雨, and proves nothing",
        "有人自称林小雨,但什么也证明不了",
    ),
    "impostors": (
        "He tries a form, an SMS, Telegram and a mail",
        "他试了表单、短信、Telegram 和邮件",
    ),
    "web_impostor": (
        "Anonymous web form with her phone number and mail address: a case of its own, {ref}",
        "匿名网页表单,填她的手机和邮箱:单独的受理单 {ref}",
    ),
    "sms_impostor": (
        "SMS from another number, quoting her case reference: a case of its own, {ref}",
        "用别的号码发短信,引用她的受理编号:单独的受理单 {ref}",
    ),
    "messenger_impostor": (
        "Telegram without the link, quoting it too: a case of its own, {ref}",
        "没有签名链接的 Telegram,同样引用编号:单独的受理单 {ref}",
    ),
    "email_impostor": (
        "Mail with a forged From (DMARC fail): a case of its own, {ref}",
        "伪造发件人的邮件(DMARC 失败):单独的受理单 {ref}",
    ),
    "suggested": (
        "suggested to agents, not joined: {address} is hers, but only claimed here",
        "只提示客服,不合并:{address} 是她的,但这里只是声称",
    ),
    "untouched": (
        "Her case is untouched: still {messages} messages of hers",
        "她的受理单未受影响:仍是她的 {messages} 条消息",
    ),
    # 3: an agent at work
    "agent_act": ("An agent takes the case and answers", "客服接单并回复"),
    "worklist": (
        "The worklist of team {team}, most pressing first",
        "{team} 团队的工作列表,最急的在前",
    ),
    "assigned": ("{agent} assigns {ref} to himself", "{agent} 把 {ref} 分派给自己"),
    "replied": (
        "He replies on version {version} (If-Match); it leaves on the channel she used last",
        "他基于版本 {version}(If-Match)回复,通过她最后使用的渠道发出",
    ),
    "stale": (
        "Once more on version {version}: 412, somebody has been here; nothing is sent",
        "再次基于版本 {version} 回复:412,受理单已变化;什么也没有发出",
    ),
    # 4: a deadline passes
    "deadline_act": (
        "Maya Chen reports a stolen account, and nobody answers in time",
        "Maya Chen 报告账号被盗,而客服没有及时回复",
    ),
    "report": (
        "Web form: account security, first reply promised within 2 minutes, at any hour",
        "网页表单:账号安全,承诺任何时间 2 分钟内首次回复",
    ),
    "schedule": (
        "The SLA schedule runs as if it were {time} UTC (only the local cloud lets it)",
        "SLA 定时任务按 UTC {time} 运行(仅本地云允许)",
    ),
    "escalated": (
        "Case {ref} is now with team {team}, level {level}",
        "受理单 {ref} 现由 {team} 团队处理,层级 {level}",
    ),
    "platform_down": (
        "The platform goes down; an agent looks at her all the same, and is told so",
        "业务平台故障;客服照样能查看客户,并被告知平台不可用",
    ),
    "without_platform": (
        "Platform {state} ({reason}); her {cases} open case is shown",
        "业务平台{state}({reason});仍显示她的 {cases} 个处理中受理单",
    ),
    # 5: an outage
    "outage_act": (
        "Top-ups are down: customers hear of it before they ask",
        "充值服务故障:客户还没问,通知先到",
    ),
    "asked": (
        "陈思琪 had another question earlier, by web form",
        "陈思琪此前通过网页表单咨询过别的问题",
    ),
    "settled": (
        "She added a mail; an agent answered, and closed the case",
        "她又补发了一封邮件;客服答复后关闭了受理单",
    ),
    "affected": (
        "The platform names the users it touches: {users}",
        "平台给出受影响的用户:{users}",
    ),
    "declared": ("A lead declares the incident", "组长宣布故障"),
    "told": ("The outages schedule runs", "故障通知定时任务运行"),
    "told_again": (
        "It runs again: nobody is told twice ({notices} customers, {notices} notices)",
        "再次运行:没有人收到两次({notices} 位客户,{notices} 条通知)",
    ),
    # how it ends
    "received": ("{channel} to {to}", "{channel} 发给 {to}"),
    "page": ("{name}'s page", "{name}的页面"),
    "unified": ("The unified case", "统一受理单"),
    "customer_line": ("What an agent sees of her at a glance", "客服一眼看到的客户信息"),
    "next": ("Where to look next", "接下来看哪里"),
    "api": ("API of the agents", "客服 API"),
    "sink": ("What customers received", "客户收到的消息"),
    "platform": ("The business's own platform", "业务平台"),
    "token": ("A token for the API", "API 令牌"),
    "list": ("All cases with work", "所有待处理受理单"),
    "show": ("This case again", "再看这个受理单"),
    "customer": ("The customer at a glance", "客服看到的客户"),
    "write": ("Write as a customer", "以客户身份写信"),
    "stop": ("Stop everything", "全部停止"),
    "total": (
        "Everything was as it should be. {seconds} s",
        "一切符合预期。用时 {seconds} 秒",
    ),
}


def narrate(key: str, language: str, **values: object) -> str:
    return NARRATION[key][LANGUAGES.index(language)].format(**values)

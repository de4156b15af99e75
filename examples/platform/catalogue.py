"""What the sample platform sells, and the names of its invented people and shops."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    product: str
    prefix: str  # of the numbers of its orders
    titles: tuple[tuple[str, str], ...]  # (Chinese, English)
    prices: tuple[int, ...]  # in hundredths


OFFERS = (
    Offer(
        "game-topup",
        "T",
        (
            ("星海远征 星晶", "Starfarer crystals"),
            ("王城纪 元宝", "Kingdom Annals ingots"),
            ("雾都侦探 线索币", "Fogtown clue coins"),
            ("极速车队 燃料", "Turbo Convoy fuel"),
        ),
        (600, 3000, 6800, 12800, 32800, 64800),
    ),
    Offer(
        "card-secret",
        "K",
        (
            ("游戏点卡 100 元卡密", "Game card 100"),
            ("视频会员月卡", "Video pass, one month"),
            ("音乐会员年卡", "Music pass, 12 months"),
            ("网盘会员季卡", "Cloud drive, one quarter"),
        ),
        (2500, 4500, 9850, 9900),
    ),
    Offer(
        "gift-card",
        "G",
        (("主机礼品卡", "Console gift card"), ("应用商店礼品卡", "App store gift card")),
        (1000, 5000, 10000),
    ),
    Offer("wallet", "W", (("钱包充值", "Wallet top-up"),), (5000, 10000, 20000, 50000)),
)
PRODUCTS = (*(offer.product for offer in OFFERS), "settlement")
SETTLEMENT_PREFIX = "S"

SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
GIVEN = (
    "子涵",
    "雨桐",
    "浩然",
    "欣怡",
    "宇轩",
    "梓萱",
    "志强",
    "秀英",
    "建军",
    "丽娜",
    "文博",
    "晓东",
)
FIRST = ("Amara", "Ben", "Chloe", "Diego", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas")
LAST = ("Adeyemi", "Brown", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hughes", "Ivanov")
SHOPS = (
    "星火",
    "蓝鲸",
    "极光",
    "北斗",
    "云帆",
    "青柠",
    "Juniper",
    "Northgate",
    "Bluefin",
    "Lantern",
)

# (region, locale, currency), as often as they occur.
MARKETS = (
    *(("CN", "zh-CN", "CNY"),) * 11,
    *(("HK", "zh-CN", "HKD"),) * 1,
    *(("US", "en", "USD"),) * 4,
    *(("GB", "en", "GBP"),) * 2,
    *(("SG", "en", "SGD"),) * 1,
    *(("DE", "en", "EUR"),) * 1,
)
METHODS = {"CNY": ("wechat_pay", "alipay", "bank_card"), "": ("card", "paypal", "apple_pay")}
FROZEN_REASONS = ("stolen_account", "risk_review", "chargeback")
DISPUTE_REASONS = ("not_mine", "charged_twice", "not_delivered", "card_invalid")

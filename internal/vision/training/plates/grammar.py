"""Random plate texts of every kind the models must know.

Each generator returns a Layout: the rows as drawn (with separators) and the colours. Separators
("-", ".") are drawn but are no part of the canonical text.
"""
from dataclasses import dataclass, field

ALPHABET = [""] + list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") + ["Đ"]
INDEX = {c: i for i, c in enumerate(ALPHABET)}
SLOTS = 10
COUNTRIES = ["VN", "CN", "LA", "KH", "TH", "other"]

PROVINCES = [p for p in range(11, 100) if p not in (13, 42, 44, 45, 46, 87, 91, 96)]
CAR = "ABCDEFGHKLMNPSTUVXYZ"
STATE = "ABCDEFGHKLM"
HARD = CAR + "DUNMKXBGDUNMKXHLCGCG"  # series letters that are mixed up when small come more often
SECOND = "ABCDEFHKLMNPRSTUVXYZ"
MILITARY_FIRST = "ABCDHKPQTV"
MILITARY_SECOND = "ABCDEGHIKLMNPQRSTUVXYZ"
CN_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
CN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
CN_HARD = CN_LETTERS + "JJJJJJUUQWWNVBBSSZD"  # what only Chinese plates have, and what is taken for a digit, more often

# Colours are BGR; (plate, text).
WHITE, YELLOW, BLUE, RED = (235, 238, 238), (20, 190, 240), (150, 70, 20), (35, 25, 185)
BLACK, PAPER, INK_RED = (25, 22, 20), (240, 240, 240), (30, 25, 190)
CN_BLUE, CN_GREEN = (170, 70, 10), (150, 215, 120)


@dataclass
class Layout:
    """What to draw. rows: strings with separators; script: rows drawn whole with a script font."""
    kind: str
    country: str
    rows: list
    colours: tuple
    shape: str  # "long", "short" or "moto"
    text: str = ""
    script: list = field(default_factory=list)


def _digits(rng, n):
    """n digits; in one group of three only those that are mixed up when small, or the narrow ones that run together."""
    r = rng.random()
    pool = "5566338890" if r < 0.22 else "1111174071" if r < 0.35 else "0123456789"
    return "".join(pool[d] for d in rng.integers(0, 10, n))


def _pick(rng, seq):
    return seq[int(rng.integers(len(seq)))]


def _number(rng, five=0.75):
    n = _digits(rng, 5 if rng.random() < five else 4)
    if n.strip("0") == "":
        n = n[:-1] + "1"
    return n, (n[:3] + "." + n[3:] if len(n) == 5 and rng.random() < 0.85 else n)


def _vn(kind, rng, head, five, colours, shape=None, joint=None):
    """Head over number in two rows, or head-number in one."""
    plain, shown = _number(rng, five)
    shape = shape or ("long" if rng.random() < 0.5 else "short")
    text = head.replace("-", "") + plain
    if shape == "long":
        joint = joint or ("-" if rng.random() < 0.8 else " ")
        rows = [head.replace("-", "") + joint + shown]
    else:
        rows = [head, shown]
    return Layout(kind, "VN", rows, colours, shape, text)


def vietnamese(rng):
    """A random Vietnamese plate of any kind."""
    p = str(_pick(rng, PROVINCES))
    r = rng.random()
    if r < 0.19:
        head = p + ("-" if rng.random() < 0.1 else "") + _pick(rng, HARD)
        colours = (WHITE, BLACK) if rng.random() < 0.6 else (YELLOW, BLACK)
        return _vn("car", rng, head, 0.8, colours)
    if r < 0.26:
        return _vn("car-yellow", rng, p + _pick(rng, "CHEFBKRGD"), 0.9, (YELLOW, BLACK))
    if r < 0.36:
        second = _pick(rng, SECOND) if rng.random() < 0.5 else str(rng.integers(1, 10))
        head = p + "-" + _pick(rng, HARD) + second
        return _vn("moto", rng, head, 0.7, (WHITE, BLACK), "moto")
    if r < 0.47:
        head = p + _pick(rng, STATE)
        if rng.random() < 0.4:
            return _vn("moto-state", rng, p + "-" + _pick(rng, STATE) + str(rng.integers(1, 10)), 0.7,
                       (BLUE, PAPER), "moto")
        return _vn("car-state", rng, head, 0.7, (BLUE, PAPER))
    if r < 0.62:
        series = _pick(rng, ["LD", "DA", "KT", "HC", "CD", "MK", "RM", "TĐ", "MĐ", "CT", "LB", "MĐ", "MĐ", "MĐ", "MĐ", "TĐ"])
        colours = (WHITE, BLACK)
        if series in ("CT", "LB"):
            colours = (YELLOW, INK_RED)
        elif series == "CD":
            colours = (BLUE, PAPER)
        elif rng.random() < 0.25:
            colours = (YELLOW, BLACK)
        if series == "MĐ":
            return _vn("moto-electric", rng, p + "-MĐ" + str(rng.integers(1, 10)), 0.8, colours, "moto")
        return _vn("series", rng, p + series, 0.7, colours)
    if r < 0.69:
        colours = (WHITE, BLACK) if rng.random() < 0.5 else (YELLOW, BLACK)
        return _vn("trailer", rng, p + "R", 0.85, colours)
    if r < 0.82:
        a, b, n = _pick(rng, MILITARY_FIRST), _pick(rng, MILITARY_SECOND), _digits(rng, 4)
        if rng.random() < 0.6:
            return Layout("military", "VN", [a + b + "-" + n[:2] + "-" + n[2:]], (RED, PAPER), "long", a + b + n)
        return Layout("military", "VN", [a + b, n[:2] + "-" + n[2:]], (RED, PAPER), "short", a + b + n)
    if r < 0.94:
        mission, own, s = _digits(rng, 3), _digits(rng, 2), _pick(rng, ["NG", "QT", "NN", "CV"])
        ink = INK_RED if s in ("NG", "QT") and rng.random() < 0.7 else BLACK
        if rng.random() < 0.5:
            return Layout("diplomatic", "VN", [f"{p}-{mission}-{s}-{own}"], (WHITE, ink), "long", p + mission + s + own)
        if rng.random() < 0.5:
            return Layout("diplomatic", "VN", [f"{p}-{s}", f"{mission}-{own}"], (WHITE, ink), "short",
                          p + s + mission + own)
        return Layout("diplomatic", "VN", [f"{p}-{mission}", f"{s}-{own}"], (WHITE, ink), "short",
                      p + mission + s + own)
    n = _digits(rng, 5)
    if rng.random() < 0.5:
        return Layout("temporary", "VN", [f"T{p}-{n[:3]}.{n[3:]}"], (WHITE, BLACK), "long", "T" + p + n)
    return Layout("temporary", "VN", ["T" + p, n[:3] + "." + n[3:]], (WHITE, BLACK), "short", "T" + p + n)


def chinese(rng):
    """Blue, yellow (one and two rows), green new energy."""
    prov = _pick(rng, CN_PROVINCES) if rng.random() < 0.6 else _pick(rng, "桂云粤京沪")
    letter = _pick(rng, CN_HARD)
    letters = 0.25 if rng.random() < 0.8 else 0.6
    tail = "".join(_pick(rng, CN_HARD) if rng.random() < letters else _digits(rng, 1) for _ in range(5))
    r = rng.random()
    if r < 0.34:
        return Layout("cn-car", "CN", ["#" + letter + "." + tail], (CN_BLUE, PAPER), "long", letter + tail, [prov])
    if r < 0.54:
        return Layout("cn-lorry", "CN", ["#" + letter + "." + tail], (YELLOW, BLACK), "long", letter + tail, [prov])
    if r < 0.65:
        colours = (YELLOW, BLACK) if rng.random() < 0.7 else (CN_BLUE, PAPER)
        return Layout("cn-rear", "CN", ["#." + letter, tail], colours, "short", letter + tail, [prov])
    if r < 0.82:
        return Layout("cn-trailer", "CN", ["#." + letter, tail[:4] + "@"], (YELLOW, BLACK), "short", letter + tail[:4],
                      [prov, "挂"])
    tail = _pick(rng, "DF") + tail if rng.random() < 0.5 else tail + str(rng.integers(10))
    return Layout("cn-green", "CN", ["#" + letter + "." + tail], (CN_GREEN, BLACK), "long", letter + tail, [prov])


def _script(rng, low, high, n):
    return "".join(chr(int(rng.integers(low, high + 1))) for _ in range(n))


def neighbour(rng):
    """Thai, Lao and Khmer plates: script consonants, digits, a province line."""
    r = rng.random()
    digits = _digits(rng, int(rng.integers(3, 5)))
    if r < 0.4:
        shape = "short" if rng.random() < 0.7 else "moto"
        consonants = _script(rng, 0x0E01, 0x0E2E, 2)
        lead = str(rng.integers(1, 10)) if rng.random() < 0.4 else ""
        province = _pick(rng, ["กรุงเทพมหานคร", "เชียงใหม่", "ขอนแก่น", "อุดรธานี", "นครพนม", "ชลบุรี"])
        colours = (WHITE, BLACK) if rng.random() < 0.7 else ((WHITE, (60, 120, 20)) if rng.random() < 0.5 else (YELLOW, BLACK))
        if shape == "moto":
            return Layout("th-moto", "TH", [lead + "#", "@", digits], colours, shape, lead + digits, [consonants, province])
        if rng.random() < 0.25:
            digits = f"{rng.integers(10, 99)}-{_digits(rng, 4)}"
            return Layout("th-lorry", "TH", [digits, "@"], colours, shape, digits.replace("-", ""), [consonants, province])
        return Layout("th-car", "TH", [lead + "# " + digits, "@"], colours, shape, lead + digits, [consonants, province])
    if r < 0.75:
        consonants = _pick(rng, "ກຂຄງຈສຊຍດຕຖທນບປຜພມຢຣລວຫອ") + _pick(rng, "ກຂຄງຈສຊຍດຕຖທນບປຜພມ")
        province = _pick(rng, ["ກຳແພງນະຄອນ", "ສະຫວັນນະເຂດ", "ຄຳມ່ວນ", "ບໍລິຄຳໄຊ", "ຈຳປາສັກ"])
        colours = _pick(rng, [(YELLOW, BLACK), (YELLOW, INK_RED), (WHITE, BLACK), (BLUE, PAPER), (WHITE, (150, 40, 20))])
        digits = _digits(rng, 4)
        return Layout("la-car", "LA", ["@", "# " + digits], colours, "short", digits, [consonants, province])
    letters = "".join(_pick(rng, "ABCDEFGHKLMNPQRSTUVXYZ") for _ in range(int(rng.integers(1, 3))))
    digits = _digits(rng, 4)
    head = str(_pick(rng, [1, 2, 2, 2, 3, 3, 4, 7])) + letters
    province = _pick(rng, ["ភ្នំពេញ", "បាត់ដំបង", "សៀមរាប", "ស្វាយរៀង", "តាកែវ"])
    colours = (WHITE, (150, 40, 20)) if rng.random() < 0.7 else (WHITE, BLACK)
    return Layout("kh-car", "KH", ["@", head + "-" + digits], colours, "short", head + digits, ["", province])

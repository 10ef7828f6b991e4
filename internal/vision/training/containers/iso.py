"""Container numbers by ISO 6346: random ones, and the check digit."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
KNOWN = ["MSKU", "MRKU", "TCLU", "TEMU", "TGHU", "TRLU", "CMAU", "HLXU", "MEDU", "OOLU", "CSNU", "YMLU", "EGHU", "EMCU", "KKFU",
         "NYKU", "APZU", "SUDU", "ZIMU", "PCIU", "WHLU", "SITU", "VSCU", "HJMU", "GESU", "FCIU", "BMOU", "CAIU", "DFSU", "SEGU",
         "ONEU", "XINU", "UETU", "TLLU", "CBHU", "FSCU", "GLDU", "INKU", "PONU", "UACU"]
SIZES = ["22G1", "42G1", "45G1", "45R1", "22R1", "22T0", "L5G1", "22U1", "42U1", "25G1", "40HC", "42P1", "M5G1", "22T6", "45R8", "22G0", "45G0"]


def value(c):
    """Digits as they are; letters from 10 on, leaving out the multiples of 11."""
    if c.isdigit():
        return int(c)
    v = LETTERS.index(c) + 10
    return v + (v - 1) // 10


def check(head):
    """The check digit of four letters and six digits."""
    return str(sum(value(c) << i for i, c in enumerate(head)) % 11 % 10)


def code(rng):
    """Owner with category, serial, check digit."""
    if rng.random() < 0.2:
        owner = KNOWN[int(rng.integers(len(KNOWN)))]
    else:
        owner = "".join(LETTERS[int(i)] for i in rng.integers(0, 26, 3)) + ("U" if rng.random() < 0.85 else "JZ"[int(rng.integers(2))])
    serial = "".join(str(d) for d in rng.integers(0, 10, 6))
    return owner, serial, check(owner + serial)


def size_type(rng):
    """A size and type code."""
    if rng.random() < 0.7:
        return SIZES[int(rng.integers(len(SIZES)))]
    pick = lambda s: s[int(rng.integers(len(s)))]
    return pick("1234LM9") + pick("0256CDEF") + pick("GRUPTVBSHK") + pick("0123456789")

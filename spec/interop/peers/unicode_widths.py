"""The columns of every code point of the first three planes, as its properties in Unicode say, one per line:
first, last, columns; the version of Unicode first."""
import unicodedata


def is_hidden(code):
    return (0x80 <= code < 0xA0 or code in (0x61C, 0x200E, 0x200F, 0x2028, 0x2029)
            or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069)


def columns(code):
    character = chr(code)
    category = unicodedata.category(character)
    if is_hidden(code):
        return -1
    if category in ("Cn", "Co", "Cs"):
        return None  # nobody has said
    if 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FB:
        return 0  # vowels and last consonants of Hangul
    if category in ("Mn", "Me", "Cf") and code != 0xAD:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


print(unicodedata.unidata_version)
first, before = 0x80, columns(0x80)
for code in range(0x81, 0x30001):
    now = columns(code)
    if now != before or code == 0x30000:
        if before is not None:
            print(first, code - 1, before)
        first, before = code, now

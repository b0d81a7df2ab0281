"""Names on the broker and in frames (PROTOCOL.md, section 7)."""
import base64
import re

_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9_~-]+(\.[A-Za-z0-9_~-]+)*")
_PATTERN = re.compile(r"([A-Za-z0-9_~-]+|[*#])(\.([A-Za-z0-9_~-]+|[*#]))*")
MAX_NAME_BYTES = 200
MAX_USER_BYTES = 96


def uid(user: str) -> str:
    """A user's id as one word of a routing key. Raises ValueError where it is none: empty, or over 96 bytes of UTF-8."""
    if not isinstance(user, str) or not 1 <= len(user.encode()) <= MAX_USER_BYTES:
        raise ValueError(f"a user id is text of 1 to {MAX_USER_BYTES} bytes of UTF-8, not {user!r}")
    return user if _WORD.fullmatch(user) else escape(user)


def topic_word(text: str) -> str:
    """Any text as one word of a topic: `f"room.{topic_word('Café №1')}"`. As `uid`, and as long as a topic may be.

    Different texts make different words; `from_topic_word` gives the text back. Raises ValueError.
    """
    if not isinstance(text, str) or not text:
        raise ValueError(f"a word is made of text that is not empty, not of {text!r}")
    word = text if _WORD.fullmatch(text) else escape(text)
    if len(word) > MAX_NAME_BYTES:
        raise ValueError(f"the text has {len(text.encode())} bytes of UTF-8; a word holds 149")
    return word


def from_topic_word(word: str) -> str:
    """The text behind a word of a topic; the inverse of `topic_word`. A word without `~` is its own text. Raises ValueError."""
    if not word.startswith("~"):
        return word
    try:
        text = base64.b64decode(word[1:] + "=" * (-len(word[1:]) % 4), altchars=b"-_", validate=True).decode()
        if topic_word(text) == word:
            return text
    except ValueError:
        pass  # told below, as words that are no other text's either
    raise ValueError(f"{word} is no word that topic_word makes")


def escape(text: str) -> str:
    return "~" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def check_name(kind: str, name: str) -> str:
    """Raises ValueError. `kind`: what it names, for the message."""
    if not isinstance(name, str) or len(name) > MAX_NAME_BYTES or not _NAME.fullmatch(name):
        rule = f"words of A-Z a-z 0-9 _ ~ - joined by dots, at most {MAX_NAME_BYTES} bytes; evenkeel.topic_word makes one of any text"
        raise ValueError(f"{name!r} is no {kind}: {rule}")
    return name


def check_pattern(kind: str, pattern: str) -> str:
    """As check_name, with `*` for one word and `#` for any number."""
    if not isinstance(pattern, str) or len(pattern) > MAX_NAME_BYTES or not _PATTERN.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is no pattern of a {kind}: words joined by dots; * is one word, # any number")
    return pattern

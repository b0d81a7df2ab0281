"""Client and publisher of Evenkeel."""
from ._errors import CallError, EvenkeelError, PublishError, Refused, ServiceError
from ._names import from_topic_word, topic_word, uid
from ._service import Request, Service
from ._stream import Stream
from ._topic import Topic
from ._types import Event, Message, Status
from .client import Client
from .publisher import Published, Publisher

__all__ = [
    "CallError", "Client", "EvenkeelError", "Event", "Message", "PublishError", "Published", "Publisher", "Refused", "Request", "Service",
    "ServiceError", "Status", "Stream", "Topic", "from_topic_word",
    "topic_word", "uid",
]

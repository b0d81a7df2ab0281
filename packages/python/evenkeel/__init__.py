"""Client and publisher of Evenkeel."""
from ._asking import ClientAnswer
from ._cells import Cells
from ._errors import AskError, CallError, EvenkeelError, PublishError, Refused, ServiceError
from ._names import from_topic_word, topic_word, uid
from ._past import TopicHistory
from ._publishing import BatchResult, Outgoing, Published
from ._receipts import Receipt
from ._service import Request, Service
from ._serving import Asked
from ._stream import Stream
from ._topic import Topic
from ._types import Event, Message, Status
from .client import Client
from .publisher import Publisher

__all__ = [
    "AskError", "Asked", "BatchResult", "CallError", "Cells", "Client", "ClientAnswer", "EvenkeelError", "Event", "Message", "Outgoing",
    "PublishError", "Published", "Publisher", "Receipt", "Refused", "Request", "Service", "ServiceError", "Status", "Stream", "Topic", "TopicHistory", "from_topic_word",
    "topic_word", "uid",
]

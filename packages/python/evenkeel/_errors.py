"""What goes wrong, told apart by class and `code`."""


class EvenkeelError(Exception):
    """Of all errors here. `code`: of PROTOCOL.md 2.4, of the service that answered, or one of this package's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CallError(EvenkeelError):
    """A publish, request or subscription failed. `is_from_service`: a service answered so; else the mesh did."""

    def __init__(self, code: str, message: str, is_from_service: bool = False) -> None:
        super().__init__(code, message)
        self.is_from_service = is_from_service


class Refused(EvenkeelError):
    """The client has given up: trying again does not help. `code`: `closed-4501`, or the gateway's, such as `bad-credentials`."""


class PublishError(EvenkeelError):
    """The broker did not take it."""


class ServiceError(EvenkeelError):
    """For handlers to raise, of services and of clients: whoever asked gets code and message. Of other exceptions it learns nothing."""


class AskError(EvenkeelError):
    """A user's client has not answered. `session`: which one says so; without it the mesh does (`no-session`, `timeout`, …)."""

    def __init__(self, code: str, message: str, session: str | None = None) -> None:
        super().__init__(code, message)
        self.session = session

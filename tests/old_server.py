"""Something that answers as PostgreSQL of any version does, as far as the end of the login."""

import contextlib
import socket
import struct
import threading

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _answer(client: socket.socket, version: str) -> None:
    with client, contextlib.suppress(OSError, struct.error):
        while True:
            length, code = struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))
            client.recv(length - 8, socket.MSG_WAITALL)
            if code not in (SSL_REQUEST, GSS_REQUEST):
                break
            client.sendall(b"N")
        facts = {"server_version": version, "client_encoding": "UTF8", "TimeZone": "UTC"}
        reply = _message(b"R", struct.pack("!i", 0))
        for name, value in facts.items():
            reply += _message(b"S", f"{name}\0{value}\0".encode())
        client.sendall(reply + _message(b"Z", b"I"))
        client.recv(1)


@contextlib.contextmanager
def old_server(version: str):
    """Listen on a free port of the loopback; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    _answer(listener.accept()[0], version)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)

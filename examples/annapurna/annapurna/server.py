"""Serves an ASGI application with the standard library, so that the lock holds FastAPI and nothing else."""

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def serve(app, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = asyncio.run(call(app, self.command, self.path))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name.decode("latin-1"), value.decode("latin-1"))
            self.end_headers()
            self.wfile.write(body)

    print(f"listening on port {port}", flush=True)
    ThreadingHTTPServer(("", port), Handler).serve_forever()


async def call(app, method: str, target: str):
    """One request through the ASGI interface: (status, headers, body)."""
    address = urlsplit(target)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(address.path),
        "raw_path": address.path.encode(),
        "query_string": address.query.encode(),
        "root_path": "",
        "headers": [],
        "client": None,
        "server": None,
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return start["status"], start["headers"], body

"""A web server with uvicorn: an event loop of epoll, timers, threads for blocking work; 8 clients."""
from async_server import load

PROGRAM = '''
import asyncio, hashlib
import uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path, body, more = scope["path"][1:], b"", True
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    if path == "later":
        await asyncio.sleep(0.2)
    if path == "thread":
        path = str(await asyncio.get_running_loop().run_in_executor(None, lambda: sum(i % 7 for i in range(100000))))
    text = hashlib.sha256(body).hexdigest() if scope["method"] == "POST" else f"hello {path}"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(text)).encode())]})
    await send({"type": "http.response.body", "body": text.encode()})

uvicorn.run(app, host="0.0.0.0", port=8080, log_level="warning")
'''


def prepare(t):
    t.write("app.py", PROGRAM)

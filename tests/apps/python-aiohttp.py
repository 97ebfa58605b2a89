"""A web server with aiohttp: an event loop of epoll, timers, threads for blocking work; 8 clients."""
from async_server import load

PROGRAM = '''
import asyncio, hashlib
from aiohttp import web

async def get(request):
    path = request.path[1:]
    if path == "later":
        await asyncio.sleep(0.2)
    if path == "thread":
        path = str(await asyncio.get_running_loop().run_in_executor(None, lambda: sum(i % 7 for i in range(100000))))
    return web.Response(text=f"hello {path}")

async def post(request):
    return web.Response(text=hashlib.sha256(await request.read()).hexdigest())

app = web.Application(client_max_size=1 << 24)
app.add_routes([web.get("/{path:.*}", get), web.post("/{path:.*}", post)])
web.run_app(app, host="0.0.0.0", port=8080)
'''


def prepare(t):
    t.write("app.py", PROGRAM)

"""A web server with tornado: an event loop of epoll, timers, threads for blocking work; 8 clients."""
from async_server import load

PROGRAM = '''
import asyncio, hashlib
import tornado.web

class Main(tornado.web.RequestHandler):
    async def get(self, path):
        if path == "later":
            await asyncio.sleep(0.2)
        if path == "thread":
            path = str(await asyncio.get_running_loop().run_in_executor(None, lambda: sum(i % 7 for i in range(100000))))
        self.write(f"hello {path}")

    async def post(self, path):
        self.write(hashlib.sha256(self.request.body).hexdigest())

async def main():
    tornado.web.Application([(r"/(.*)", Main)]).listen(8080, "0.0.0.0")
    await asyncio.Event().wait()

asyncio.run(main())
'''


def prepare(t):
    t.write("app.py", PROGRAM)

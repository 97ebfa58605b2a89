import os

from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    return f"process {os.getpid()} of {os.uname().nodename}, {os.cpu_count()} CPU\n"


app.run("0.0.0.0", 8080)

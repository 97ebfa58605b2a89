"""A Flask application: text, a template, JSON, a posted file's hash, a session, an error, a stream."""
import hashlib
import threading

from flask import Flask, jsonify, render_template_string, request, session

app = Flask(__name__)
app.secret_key = "not secret"


@app.route("/hello/<name>")
def hello(name):
    return f"hello, {name}"


@app.route("/template")
def template():
    return render_template_string("{% for i in range(5) %}{{ i * i }},{% endfor %}{{ '<b>' }}")


@app.route("/json")
def json():
    return jsonify(arguments=request.args, answer=42)


@app.route("/post", methods=["POST"])
def post():
    return hashlib.sha256(request.get_data()).hexdigest()


@app.route("/count")
def count():
    session["n"] = session.get("n", 0) + 1
    return str(session["n"])


@app.route("/error")
def error():
    raise ValueError("on purpose")


@app.route("/stream")
def stream():
    return app.response_class(f"line {i}\n" for i in range(1000))


if __name__ == "__main__":
    app.run("0.0.0.0", 8080, threaded=True)

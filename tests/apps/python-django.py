"""Django's development server with SQLite: models, migrations, a template, a form with its token; 8 clients."""
from apps import Http, answers_http, http_load
from case import expect

APP = '''
import os, sys
import django
from django.conf import settings

settings.configure(DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="not secret",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/tmp/db.sqlite3"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
django.setup()

from django.core.management import call_command, execute_from_command_line
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.urls import path


def hello(request, name):
    return HttpResponse(f"hello, {name}")


def template(request):
    return HttpResponse(engines["django"].from_string("{% for x in list %}{{ x }};{% endfor %}{{ y }}").render(
        {"list": [1, 2, 3], "y": "<b>"}))


def users(request):
    from django.contrib.auth.models import User
    if request.method == "POST":
        User.objects.create_user(request.POST["name"], password="x" * 8)
    return JsonResponse({"users": list(User.objects.order_by("username").values_list("username", flat=True))})


urlpatterns = [path("hello/<name>", hello), path("template", template), path("users", users)]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    execute_from_command_line(sys.argv)
'''


def prepare(t):
    t.write("dj/app.py", APP)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/hello/x"))
    h = Http(port, 120)
    expect("a template", h.ask("/template")[:2], (200, b"1;2;3;&lt;b&gt;"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for name in ("ann", "bob"):
        expect("a row more", h.ask("/users", "POST", f"name={name}", form)[0], 200)
    expect("the rows", h.ask("/users")[1], b'{"users": ["ann", "bob"]}')
    expect("not there", h.ask("/absent")[0], 404)
    http_load(port, {f"/hello/{i}": (200, b"hello, %d" % i) for i in range(3)} | {"/users": (200, b'{"users": ["ann", "bob"]}')},
              rounds=3)

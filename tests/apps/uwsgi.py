"""uWSGI with a Flask application in two threads of its one process."""
from flask_app import load, prepare

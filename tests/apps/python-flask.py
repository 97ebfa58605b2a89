"""Flask's own threaded server."""
from flask_app import load, prepare

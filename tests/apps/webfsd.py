"""webfsd serves a folder: a listing, files, ranges; 8 clients."""
from file_server import load, prepare

"""The JVM with the Serial collector: threads, traps, garbage, files, 8 clients."""
from jvm import load, prepare

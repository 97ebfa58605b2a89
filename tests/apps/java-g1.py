"""The JVM with the G1 collector: threads, traps, garbage, files, 8 clients."""
from jvm import load, prepare

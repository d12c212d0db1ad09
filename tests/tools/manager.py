#!/usr/bin/env python3
"""manager.py SOCKET: a service manager's ear. Prints each datagram of sd_notify(3) that
comes to SOCKET, a path or @name, as one line: seconds since the start, and its lines."""
import socket
import sys
import time

name = sys.argv[1]
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("\0" + name[1:] if name.startswith("@") else name)
began = time.monotonic()
print("listening", flush=True)
while True:
    text = ear.recv(65536).decode()
    print(f"{time.monotonic() - began:.3f} {' '.join(text.split(chr(10)))}", flush=True)

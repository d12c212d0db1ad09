#!/usr/bin/env python3
"""Plays the server's part of the NSM session protocol (API 1.1) to one program: waits for
its announcement, has it open a project, lets it run, has it save, and ends it by SIGTERM.

usage: nsm-fake.py [-d DIR] [-s SECONDS] [-b COMMAND] [-r COMMAND] [-x] -- PROGRAM [ARG...]
  -d  folder of the session (default: a new one)
  -b  shell command to run after the announcement, half a second before the project is opened
  -r  shell command to run before saving, when the program has said that it is running
      (a message that begins so), or SECONDS (default 10) have gone by
  -x  refuse the announcement, as a manager without a session does; then SIGTERM after SECONDS

Every message that comes is printed as a line of JSON, with whether it came from the socket
that announced; so is the output of the commands. The last line is the verdict, and the exit
status is 0 when announcement, both replies and the orderly end were all there (with -x only
the first and last). Python's own library; loopback only; signals only what it started.
"""
import argparse
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time


def pad(b):
    return b + b"\0" * (4 - len(b) % 4)


def encode(path, types, *args):
    out = pad(path.encode()) + pad(b"," + types.encode())
    for t, a in zip(types, args):
        out += struct.pack(">i", a) if t == "i" else pad(a.encode())
    return out


def decode(data):
    def text(at):
        end = data.index(b"\0", at)
        return data[at:end].decode("utf-8", "replace"), at + (end - at) // 4 * 4 + 4

    path, at = text(0)
    types, at = text(at)
    args = []
    for t in types[1:]:
        if t == "i":
            args.append(struct.unpack_from(">i", data, at)[0])
            at += 4
        elif t == "s":
            s, at = text(at)
            args.append(s)
        else:
            raise ValueError("type " + t)
    return path, types[1:], args


class Manager:
    def __init__(self, command):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        url = "osc.udp://127.0.0.1:%d/" % self.socket.getsockname()[1]
        self.child = subprocess.Popen(command, env=dict(os.environ, NSM_URL=url))
        self.peer = None

    def wait_for(self, wanted, seconds):
        """Until a message comes of which wanted(path, args) is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.child.poll() is None:
            try:
                data, sender = self.socket.recvfrom(65536)
            except socket.timeout:
                continue
            self.peer = self.peer or sender
            path, types, args = decode(data)
            say(path=path, types=types, args=args, same_socket=sender == self.peer)
            if wanted(path, args):
                return True
            if path == "/error":
                return False
        return False

    def replied(self, to, seconds=20):
        return self.wait_for(lambda p, a: p == "/reply" and a[:1] == [to], seconds)

    def send(self, *message):
        self.socket.sendto(encode(*message), self.peer)


def say(**what):
    print(json.dumps(what), flush=True)


def shell(key, command):
    if command:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
        say(**{key: done.stdout})


def play(m, o, verdict):
    verdict["announced"] = m.wait_for(lambda p, a: p == "/nsm/server/announce", 10)
    if not verdict["announced"]:
        return
    if o.refuse:
        m.send("/error", "sis", "/nsm/server/announce", -6, "no session is open here")
        time.sleep(o.seconds)
        return
    m.send("/reply", "ssss", "/nsm/server/announce", "welcome", "nsm-fake", ":server-control:")
    shell("before", o.before)
    time.sleep(0.5)
    folder = o.dir or tempfile.mkdtemp(prefix="nsm-fake-")
    m.send("/nsm/client/open", "sss", os.path.join(folder, "client.nABC"), "session", "client.nABC")
    verdict["opened"] = m.replied("/nsm/client/open")
    m.wait_for(lambda p, a: p == "/nsm/client/message" and a[1].startswith("running"), o.seconds)
    shell("running", o.run)
    m.send("/nsm/client/save", "")
    verdict["saved"] = m.replied("/nsm/client/save")


def main():
    a = argparse.ArgumentParser(usage=__doc__)
    a.add_argument("-d", "--dir")
    a.add_argument("-s", "--seconds", type=float, default=10)
    a.add_argument("-b", "--before")
    a.add_argument("-r", "--run")
    a.add_argument("-x", "--refuse", action="store_true")
    a.add_argument("command", nargs=argparse.REMAINDER)
    o = a.parse_args()
    command = o.command[1:] if o.command[:1] == ["--"] else o.command
    if not command:
        a.error("no program")
    m = Manager(command)
    verdict = {"announced": False, "opened": False, "saved": False, "ended": False, "exit": None}
    try:
        play(m, o, verdict)
    finally:
        if m.child.poll() is None:
            m.child.send_signal(signal.SIGTERM)
        try:
            verdict["exit"] = m.child.wait(10)
            verdict["ended"] = True
        except subprocess.TimeoutExpired:
            m.child.kill()
            m.child.wait()
    say(verdict=verdict)
    wanted = ["announced", "ended"] + ([] if o.refuse else ["opened", "saved"])
    sys.exit(0 if all(verdict[k] for k in wanted) and verdict["exit"] == 0 else 1)


main()

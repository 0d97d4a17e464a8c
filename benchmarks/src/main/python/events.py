"""events.py SOCKET: a monitor that tells events as fast as it is asked to.

It serves one client at SOCKET, whose command "storm" has the arguments "count" and "per-second", which is 0 for as fast as the
client takes them. The events are BLOCK_IO_ERROR, numbered in "reason". It writes a line when it listens.
"""

import json
import socket
import sys
import time

GREETING = {
    "QMP": {
        "version": {"qemu": {"micro": 0, "minor": 0, "major": 10}, "package": ""},
        "capabilities": [],
    }
}
CHUNK = 200


def event(number):
    return {
        "timestamp": {"seconds": 1700000000, "microseconds": 0},
        "event": "BLOCK_IO_ERROR",
        "data": {
            "device": "",
            "node-name": "root",
            "operation": "write",
            "action": "report",
            "reason": str(number),
        },
    }


def line(message):
    return (json.dumps(message) + "\r\n").encode()


def storm(client, count, per_second):
    chunks = [
        b"".join(line(event(i)) for i in range(first, min(first + CHUNK, count)))
        for first in range(0, count, CHUNK)
    ]
    begun = time.monotonic()
    for i, chunk in enumerate(chunks):
        if per_second > 0:
            time.sleep(max(0, begun + i * CHUNK / per_second - time.monotonic()))
        client.sendall(chunk)


def main():
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen(1)
    print("listening", flush=True)
    client, _ = server.accept()
    client.sendall(line(GREETING))
    for text in client.makefile("r"):
        command = json.loads(text)
        number = {"id": command["id"]} if "id" in command else {}
        client.sendall(line({"return": {}, **number}))
        if command["execute"] == "storm":
            given = command["arguments"]
            storm(client, given["count"], given["per-second"])


main()

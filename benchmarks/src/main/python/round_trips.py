"""round_trips.py CLIENT SOCKET: QEMU's own QMP client, which is below the directory CLIENT, against the monitor at SOCKET.

For each line with a number on the standard input it does so many round trips of query-status, one after the other, and writes
how many nanoseconds they took together.
"""

import asyncio
import sys
import time

sys.path.insert(0, sys.argv[1])

from qemu.qmp import QMPClient


async def main():
    client = QMPClient("bench")
    await client.connect(sys.argv[2])
    for line in sys.stdin:
        count = int(line)
        begun = time.perf_counter_ns()
        for _ in range(count):
            await client.execute("query-status")
        print(time.perf_counter_ns() - begun, flush=True)
    await client.disconnect()


asyncio.run(main())

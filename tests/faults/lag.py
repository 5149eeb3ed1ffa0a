"""Two network interfaces joined by a line that takes its time. Run inside a network namespace; ends when it is killed.

    python tests/faults/lag.py LEFT RIGHT SECONDS        each frame comes out at the other end so much later
    python tests/faults/lag.py INTERFACE                 what is sent there is whole: `Net` does so at both ends of the line

A kernel without netem has nothing of the kind.
"""

import contextlib
import ctypes
import fcntl
import heapq
import select
import socket
import struct
import sys
import time

# Of <linux/if_packet.h>, which the socket module does not name.
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
ETHERNET_ALL = 3
LONGEST_FRAME = 65_600
SIOCETHTOOL = 0x8946
# ETHTOOL_STXCSUM, _SSG, _STSO, _SGSO, _SGRO: what is else left to a network card, checksums and cutting into frames.
OFFLOADS = (0x17, 0x19, 0x1F, 0x24, 0x2C)


def carry(left: str, right: str, seconds: float) -> None:
    """Carry frames both ways, for ever."""
    ends = [_end(left), _end(right)]
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    number = 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, out, frame = heapq.heappop(waiting)
            # As on a real line: a frame that does not go through is lost.
            with contextlib.suppress(OSError):
                out.send(frame)
        pause = max(0.0, waiting[0][0] - now) if waiting else None
        for end in select.select(ends, [], [], pause)[0]:
            number += 1
            heapq.heappush(waiting, (time.monotonic() + seconds, number, other[end], end.recv(LONGEST_FRAME)))


def _end(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERNET_ALL))
    end.bind((interface, 0))
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    return end


def send_whole(interface: str) -> None:
    """Leave nothing to a network card."""
    with socket.socket() as any_socket:
        for command in OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        send_whole(sys.argv[1])
    else:
        carry(sys.argv[1], sys.argv[2], float(sys.argv[3]))

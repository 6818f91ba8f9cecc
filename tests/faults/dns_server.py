"""A small DNS server on a loopback address, and how a process comes to ask it and nobody else."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[tuple[str, str], str]  # name with its last dot, type -> value
PORT = 53
TTL_S = 60


@contextmanager
def answering(address: str, records: Records | None) -> Iterator[list[str]]:
    """Answers while the block runs, or says nothing where there are no records; gives the names that were asked."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, PORT))
        thread = threading.Thread(target=_serve, args=(server, records, asked), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", (address, PORT))
            thread.join()


def _serve(server: socket.socket, records: Records | None, asked: list[str]) -> None:
    while True:
        question, client = server.recvfrom(4096)
        if not question:
            return
        query = dns.message.from_wire(question)
        asked.append(query.question[0].name.to_text())
        if records is not None:
            server.sendto(_answer(query, records).to_wire(), client)


def _answer(query: dns.message.Message, records: Records) -> dns.message.Message:
    name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
    response = dns.message.make_response(query, recursion_available=True)
    if (name, kind) in records:
        response.answer.append(dns.rrset.from_text(name, TTL_S, "IN", kind, records[name, kind]))
    elif not any(known == name for known, _ in records):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response


def asking(address: str, directory: Path) -> list[str | Path]:
    """The words before a command that has it ask the DNS server at this address alone; for root on Linux."""
    settings = directory / "resolv.conf"
    settings.write_text(f"nameserver {address}\n", encoding="ascii")
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, settings]

"""Frames by hand, for what no client would send: requests, record batches, and what came back for them."""
import gzip
import socket
import struct

PRODUCE, METADATA, API_VERSIONS = 0, 3, 18


CRC_TABLE = []
for _byte in range(256):
    _crc = _byte
    for _ in range(8):
        _crc = _crc >> 1 ^ (0x82F63B78 if _crc & 1 else 0)
    CRC_TABLE.append(_crc)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text.encode())) + text.encode()


def request(api, version, body=b"", correlation=1, client="by-hand"):
    """A frame with request header 1."""
    content = struct.pack(">hhi", api, version, correlation) + string(client) + body
    return struct.pack(">i", len(content)) + content


class Connection:
    def __init__(self, port, timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """The next frame's bytes; None when the node has closed the connection."""
        head = self.exactly(4)
        return None if head is None else self.exactly(struct.unpack(">i", head)[0])

    def exactly(self, size):
        got = b""
        while len(got) < size:
            try:
                more = self.socket.recv(size - len(got))
            except ConnectionResetError:
                return None
            if not more:
                return None
            got += more
        return got

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def ask(port, frame):
    """What the node answers to a frame: its bytes, or None when it closes."""
    with Connection(port) as c:
        c.send(frame)
        return c.answer()


def varint(n):
    n = (n << 1) ^ (n >> 63)
    n &= (1 << 64) - 1
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def record(value=b"v", key=b"k", offset_delta=0, timestamp_delta=0, headers=b"\0"):
    body = b"\0" + varint(timestamp_delta) + varint(offset_delta)
    for part in (key, value):
        body += varint(-1) if part is None else varint(len(part)) + part
    body += headers
    return varint(len(body)) + body


def batch(records=None, count=None, last_delta=None, attributes=0, timestamp=1_700_000_000_000, max_timestamp=None, magic=2, base_offset=0,
          producer=(-1, -1, -1), crc=None, length=None, payload=None):
    """A record batch; whatever is not given is right."""
    records = [record()] if records is None else records
    count = len(records) if count is None else count
    last_delta = count - 1 if last_delta is None else last_delta
    payload = b"".join(records) if payload is None else payload
    after_crc = struct.pack(">hiqqqhii", attributes, last_delta, timestamp, timestamp if max_timestamp is None else max_timestamp, *producer,
                            count) + payload
    crc = crc32c(after_crc) if crc is None else crc
    content = struct.pack(">ibI", 0, magic, crc) + after_crc
    return struct.pack(">qi", base_offset, len(content) if length is None else length) + content


def gzipped(records):
    return gzip.compress(b"".join(records))


def produce_frame(topic, partition, records, acks=-1, version=8, transactional_id=None):
    data = struct.pack(">i", -1) if records is None else struct.pack(">i", len(records)) + records
    body = string(transactional_id) + struct.pack(">hi", acks, 10000) + struct.pack(">i", 1) + string(topic)
    return request(PRODUCE, version, body + struct.pack(">ii", 1, partition) + data)


class Produced:
    """The answer to a Produce of one partition, version 8."""

    def __init__(self, data):
        at = 4 + 4
        at += 2 + struct.unpack_from(">h", data, at)[0] + 4
        self.partition, self.error, self.base_offset, self.append_time, self.log_start = struct.unpack_from(">ihqqq", data, at)
        at += 30
        self.record_errors = []
        (count,) = struct.unpack_from(">i", data, at)
        at += 4
        for _ in range(count):
            index, size = struct.unpack_from(">ih", data, at)
            at += 6
            text = None
            if size >= 0:
                text = data[at:at + size].decode()
                at += size
            self.record_errors.append((index, text))
        (size,) = struct.unpack_from(">h", data, at)
        self.message = None if size < 0 else data[at + 2:at + 2 + size].decode()


def produce(port, topic, records, partition=0, **more):
    """What a Produce of these bytes gets; None when the connection closes."""
    data = ask(port, produce_frame(topic, partition, records, **more))
    return None if data is None else Produced(data)

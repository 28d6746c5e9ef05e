"""Binary HTTP, RFC 9292, as far as channel.md uses it; written from the RFC."""

from eml_channel import Reader, need


def varint(n):
    for bits, mark in ((6, 0), (14, 1), (30, 2), (62, 3)):
        if n < 1 << bits:
            size = (bits + 2) // 8
            return (mark << bits | n).to_bytes(size, "big")
    raise ValueError(n)


def read_varint(read):
    first = read.number(1)
    size = 1 << (first >> 6)
    return int.from_bytes(bytes([first & 63]) + read.take(size - 1), "big")


def text(value):
    data = value.encode()
    return varint(len(data)) + data


def encode_request(method, path, fields, content, indeterminate):
    control = text(method) + text("https") + text("") + text(path)
    lines = b"".join(text(name) + text(value) for name, value in fields)
    if not indeterminate:
        return varint(0) + control + varint(len(lines)) + lines + varint(len(content)) + content + varint(0)
    chunks = b"".join(varint(len(part)) + part for part in (content[:7], content[7:]) if part)
    return varint(2) + control + lines + varint(0) + chunks + varint(0) + varint(0)


def read_fields(read):
    fields = {}
    while read.at < len(read.data):
        name = read.take(read_varint(read)).decode("ascii")
        need(name == name.lower() and name not in fields, "RFC 9292: field names")
        fields[name] = read.take(read_varint(read)).decode("ascii")
    return fields


def decode_response(data):
    read = Reader(data)
    need(read_varint(read) == 1, "RFC 9292: known-length response")
    status = read_varint(read)
    need(200 <= status <= 599, "RFC 9292: final status")
    fields = read_fields(Reader(read.take(read_varint(read))))
    content = read.take(read_varint(read))
    need(read_varint(read) == 0, "no trailers")
    read.end()
    return status, fields, content

"""HTTP client: Python's own http.client. Prints what the story has to say. The stories:

echo       posts bodies of many sizes, which have to come back
chunked    the same in chunks
download   gets a large body by its length, and one in chunks
streamed   reads the begin of an answer before its end exists
reuse      asks 100 times on one connection
empty      HEAD, 204, 304 and OPTIONS, and after each something with a body
refused    posts to who does not want it
idle       asks again after the server has closed

usage: http_client.py BASE STORY [CA]
"""

import http.client
import ssl
import sys
import time
from urllib.parse import urlsplit

SIZES = [0, 1, 100, 16384, 65535, 65536, 1000000]


def numbered(size):
    return b"".join(b"%08d" % i + b"<>" * 28 for i in range(size // 64 + 1))[:size]


def connect(base, ca=None):
    url = urlsplit(base)
    if url.scheme == "https":
        context = ssl.create_default_context(cafile=ca)
        return http.client.HTTPSConnection(url.hostname, url.port, timeout=10, context=context)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=10)


def ask(connection, method, path, body=None, **options):
    connection.request(method, prefix + path, body, **options)
    response = connection.getresponse()
    return response.status, response.read()


def expect(expected, got):
    if expected != got:
        sys.exit(f"expected {expected!r:.100}, got {got!r:.100}")


def echo(connection):
    for size in SIZES:
        body = numbered(size)
        expect((200, body), ask(connection, "POST", "/echo", body))
    print("echoed", len(SIZES))


def pieces(body):
    for at in range(0, len(body), 5000):
        yield body[at:at + 5000]


def chunked(connection):
    for size in SIZES:
        body = numbered(size)
        expect((200, body), ask(connection, "PUT", "/echo", pieces(body), encode_chunked=True,
                                headers={"Transfer-Encoding": "chunked"}))
    print("echoed", len(SIZES))


def download(connection):
    expect((200, numbered(20000000)), ask(connection, "GET", "/bytes/20000000"))
    expect((200, numbered(1000) * 3000), ask(connection, "GET", "/pieces/3000/1000"))
    print("downloaded")


def streamed(connection):
    connection.request("GET", prefix + "/waits")
    response = connection.getresponse()
    expect(b"one", response.read(3))
    other = connect(*where)
    expect((204, b""), ask(other, "GET", "/go"))
    expect(b"two", response.read())
    print("streamed")


def reuse(connection):
    for _ in range(100):
        expect((200, b"hello"), ask(connection, "GET", "/hello"))
    print("asked 100")


def empty(connection):
    connection.request("HEAD", prefix + "/bytes/5000")
    response = connection.getresponse()
    expect(("5000", b""), (response.getheader("Content-Length"), response.read()))
    for status in 204, 304, 200:
        expect((200, b"hello"), ask(connection, "GET", "/hello"))
        expect((status, b""), ask(connection, "OPTIONS", f"/status/{status}"))
    expect((200, b"hello"), ask(connection, "GET", "/hello"))
    print("empty")


def refused(connection):
    expect((403, b"refused"), ask(connection, "POST", "/refused", numbered(50000)))
    expect((200, b"hello"), ask(connection, "GET", "/hello"))
    print("refused")


def idle(connection):
    for _ in range(3):
        expect((200, b"hello"), ask(connection, "GET", "/hello"))
        time.sleep(0.3)
        connection.close()  # it would find out by a failure only
    print("asked 3")


stories = {f.__name__: f for f in (echo, chunked, download, streamed, reuse, empty, refused, idle)}
base, story, *rest = sys.argv[1:]
where, prefix = (base, *rest), urlsplit(base).path
stories[story](connect(*where))

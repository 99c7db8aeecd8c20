"""Judges an HTTP server with h11: all that it sends has to be what RFC 9110 and 9112 say, whatever it
was sent. Prints `judged N`, or what is wrong.

usage: h11_judge.py PORT
"""

import socket
import sys

import h11

PORT = int(sys.argv[1])
HOST = ("Host", f"127.0.0.1:{PORT}")
CHUNKED = ("Transfer-Encoding", "chunked")
CLOSE = ("Connection", "close")
BODY = b"x" * 70000
UPGRADE = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


def get(target, *headers, method="GET"):
    return h11.Request(method=method, target=target, headers=[HOST, *headers]), b""


def post(target, body, *headers):
    if CHUNKED not in headers:
        headers += (("Content-Length", str(len(body))),)
    return h11.Request(method="POST", target=target, headers=[HOST, *headers]), body


# Each is sent on a connection of its own: requests, each with the status that it has to get.
GOOD = [
    [(get("/hello"), 200), (get("/bytes/0"), 200), (get("/bytes/100000"), 200), (get("/hello", CLOSE), 200)],
    [(get("/pieces/3/10"), 200), (get("/pieces/0/1"), 200), (get("/pieces/100/30000"), 200), (get("/hello"), 200)],
    [(get(f"/{page}", method="HEAD"), 200) for page in ("hello", "bytes/100000", "pieces/3/10", "status/200")],
    [(get(f"/status/{status}", method=method), status) for method in ("GET", "HEAD", "OPTIONS", "DELETE")
     for status in (200, 201, 204, 205, 301, 304, 404, 500, 503)],
    [(get("/nowhere"), 404), (get("/nowhere", method="HEAD"), 404), (get("/hello"), 200)],
    [(post("/echo", b""), 200), (post("/echo", BODY), 200), (post("/echo", BODY, CHUNKED), 200)],
    [(post("/through", BODY[:60000]), 200), (post("/through", BODY, CHUNKED), 200), (post("/through", BODY), 200)],
    [(post("/refused", BODY[:1000]), 403), (post("/hello", BODY[:1000], CHUNKED), 200), (get("/hello"), 200)],
    [(post("/echo", BODY, ("Expect", "100-continue")), 200), (post("/echo", BODY), 200)],
    [(post("/through", BODY[:60000], ("Expect", "100-continue")), 200), (get("/hello"), 200)],
    [(post("/refused", BODY, ("Expect", "100-continue")), 403)],
    [(post("/hello", b"x" * 200000), 200)],
    [(get("/raises"), 500), (get("/hello"), 200)],
    [(get("/wrong"), 500), (get("/hello"), 200)],
    [(get("/hello"), 200), (get("/ws"), 426)],
    [(get("/ws", *UPGRADE), 101)],
    [(get("/what", ("Connection", "Keep-Alive, TE"), ("Keep-Alive", "5")), 200), (get("/hello"), 200)],
]

# What is no request, and its status.
BAD = [
    (b"HELLO\r\n\r\n", 400), (b"GET /hello HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 400),
    (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501), (b"GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 431),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /hello HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
]

# HTTP/1.0, and whether the connection stays.
OLD = [
    (b"GET /hello HTTP/1.0\r\n\r\n", False),
    (b"GET /pieces/3/1000 HTTP/1.0\r\n\r\n", False),
    (b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    (b"GET /pieces/3/1000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    (b"HEAD /pieces/3/1000 HTTP/1.0\r\n\r\n", False),
    (b"GET /status/204 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
]


class Judge:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=10)
        self.h11 = h11.Connection(our_role=h11.CLIENT)

    def next_event(self):
        while True:
            event = self.h11.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.h11.receive_data(self.socket.recv(65536))

    def answer(self):
        """The head of the next answer, and its body. A 101 has none."""
        head = self.next_event()
        return head, b"" if isinstance(head, h11.InformationalResponse) else self.rest()

    def ask(self, request, body):
        data = self.h11.send(request)
        if any(name == b"expect" for name, _ in request.headers):
            self.socket.sendall(data)
            event, data = self.next_event(), b""
            if not isinstance(event, h11.InformationalResponse):
                return event, self.rest()
        if body:
            data += self.h11.send(h11.Data(body))
        self.socket.sendall(data + self.h11.send(h11.EndOfMessage()))
        return self.answer()

    def rest(self):
        body, event = b"", self.next_event()
        while isinstance(event, h11.Data):
            body += event.data
            event = self.next_event()
        assert isinstance(event, h11.EndOfMessage), f"{event} is no end"
        return body

    def ends(self):
        """Nothing comes any more, but the end."""
        data, _ = self.h11.trailing_data
        assert data == b"", f"{data!r:.100} after the answer"
        data = self.socket.recv(100)
        assert data == b"", f"{data!r} after the last answer"

    def stays(self):
        data, _ = self.h11.trailing_data
        assert data == b"", f"{data!r:.100} after the answer"
        self.socket.settimeout(0.05)
        try:
            raise AssertionError(f"{self.socket.recv(100)!r} on a connection that should wait")
        except TimeoutError:
            self.socket.settimeout(10)


def check_head(method, head):
    names = [name for name, _ in head.headers]
    for name in b"date", b"content-length", b"content-type", b"transfer-encoding", b"connection":
        assert names.count(name) <= 1, f"{name} comes {names.count(name)} times"
    assert head.status_code == 101 or b"date" in names, "no Date"
    assert not (b"content-length" in names and b"transfer-encoding" in names), "two lengths"
    if head.status_code in (101, 204):
        assert b"content-length" not in names and b"transfer-encoding" not in names, "a length of nothing"
    if head.status_code == 426:
        assert b"upgrade" in names
    assert head.reason, "no reason"


def judge_good(exchanges):
    judge = Judge()
    for (request, body), status in exchanges:
        head, answer = judge.ask(request, body)
        assert head.status_code == status, f"{head.status_code}: {answer!r:.100}"
        check_head(request.method, head)
        if request.target in (b"/echo", b"/through"):
            assert answer == body, f"{len(answer)} of {len(body)} bytes"
        if judge.h11.their_state in (h11.MUST_CLOSE, h11.CLOSED):
            judge.ends()
        elif judge.h11.their_state is h11.DONE:
            judge.stays()
            judge.h11.start_next_cycle()


def judge_pipelined(exchanges):
    """All is sent before anything is read."""
    judge, data = Judge(), b""
    for (request, body), _ in exchanges:
        sender = h11.Connection(our_role=h11.CLIENT)
        data += sender.send(request) + (sender.send(h11.Data(body)) if body else b"")
        data += sender.send(h11.EndOfMessage())
    judge.socket.sendall(data)
    for at, ((request, body), status) in enumerate(exchanges):
        judge.h11.send(request)
        if body:
            judge.h11.send(h11.Data(body))
        judge.h11.send(h11.EndOfMessage())
        head, answer = judge.answer()
        assert head.status_code == status, f"{head.status_code}: {answer!r:.100}"
        check_head(request.method, head)
        if judge.h11.their_state is not h11.DONE:
            assert at == len(exchanges) - 1, f"closed after {request}"
            return judge.ends()
        judge.h11.start_next_cycle()


def ask_raw(request, method=b"GET"):
    judge = Judge()
    judge.h11.send(h11.Request(method=method, target="/", headers=[HOST]))
    judge.h11.send(h11.EndOfMessage())
    judge.socket.sendall(request)
    head, body = judge.answer()
    check_head(method, head)
    return judge, head, body


def judge_bad(request, status):
    judge, head, body = ask_raw(request)
    assert head.status_code == status, f"{head.status_code}: {body!r:.100}"
    assert (b"connection", b"close") in head.headers, "stays open"
    judge.ends()


def judge_old(request, stays):
    # h11 sends HTTP/1.1 only: what it reads is judged by the fields.
    method = request.split(b" ")[0]
    judge, head, body = ask_raw(request, method)
    fields = dict(head.headers)
    assert b"transfer-encoding" not in fields, "chunks for HTTP/1.0"
    assert (fields.get(b"connection") == b"keep-alive") == stays, fields
    if b"pieces" in request:
        assert len(body) == (0 if method == b"HEAD" else 3000), body
    if stays:
        judge.stays()
    else:
        judge.ends()


def main():
    cases = [(judge_good, (case,)) for case in GOOD]
    cases += [(judge_pipelined, (case,)) for case in GOOD if not any(
        name in (b"expect", b"upgrade") for (request, _), _ in case for name, _ in request.headers)]
    cases += [(judge_bad, case) for case in BAD]
    cases += [(judge_old, case) for case in OLD]
    wrong = 0
    for f, arguments in cases:
        try:
            f(*arguments)
        except (AssertionError, h11.ProtocolError, OSError) as e:
            print(f"{f.__name__} {arguments!r:.300}: {e!r}")
            wrong += 1
    print("judged", len(cases))
    sys.exit(wrong > 0)


main()

#!/usr/bin/python3
"""A GSS initiator for tests, over python3-gssapi (MIT): the other end of gss_echo.py's
protocol, whoever speaks it.

usage: gss_initiate.py HOST:PORT SERVICE [krb5|spnego] [FLAG,FLAG...] [SIZE,SIZE...]

SERVICE is a principal; the flags are names of gssapi.RequirementFlag. For each size a
message of so many bytes goes there and back sealed, only signed, in MIT's rotated form
(wrap_iov without a trailer) and beside a MIC. Prints JSON: {"flags", "mech", "target",
"sizes"}; anything that does not verify is an error and status 1.
"""
import hashlib, json, socket, struct, sys
import gssapi
from gssapi import raw
F, T = gssapi.RequirementFlag, raw.IOVBufferType
MECHANISMS = {"krb5": gssapi.MechType.kerberos, "spnego": gssapi.OID.from_int_seq("1.3.6.1.5.5.2")}

host, port = sys.argv[1].rsplit(":", 1)
service = gssapi.Name(sys.argv[2], gssapi.NameType.kerberos_principal)
mech = MECHANISMS[sys.argv[3] if len(sys.argv) > 3 else "krb5"]
names = sys.argv[4] if len(sys.argv) > 4 else "mutual_authentication,confidentiality,integrity"
sizes = [int(n) for n in (sys.argv[5] if len(sys.argv) > 5 else "0,1,102400").split(",")]

sock = socket.create_connection((host, int(port)), timeout=20)

def exact(n):
    out = b""
    while len(out) < n:
        data = sock.recv(n - len(out))
        if not data: sys.exit("the acceptor hung up")
        out += data
    return out

def call(data):
    sock.sendall(struct.pack("!I", len(data)) + data)
    answer = exact(struct.unpack("!I", exact(4))[0])
    if answer[:9] == b'{"error":': sys.exit(answer.decode())
    return answer

def rotated(message, sealed):
    iov = raw.IOV((T.header, True), (T.data, False, message), std_layout=False)
    raw.wrap_iov(ctx, iov, confidential=sealed)
    return iov[0].value + iov[1].value

def must(what): sys.exit("wrong " + what)

ctx = gssapi.SecurityContext(name=service, mech=mech, usage="initiate",
                             flags=[getattr(F, name) for name in names.split(",") if name])
token = ctx.step()
while token is not None:
    answer = call(token)
    token = ctx.step(answer) if answer and not ctx.complete else None
ctx.complete or must("end of the handshake")

for size in sizes:
    message = hashlib.shake_128(str(size).encode()).digest(size)
    for sealed in (True, False):
        for token in (ctx.wrap(message, sealed).message, rotated(message, sealed)):
            got = ctx.unwrap(call(b"w" + token))
            (got.message, got.encrypted) == (message, sealed) or must(f"message of {size} bytes, sealed: {sealed}")
    mic = call(b"m" + struct.pack("!I", size) + message + ctx.get_signature(message))
    ctx.verify_signature(message, mic)

print(json.dumps({"flags": sorted(f.name for f in ctx.actual_flags), "mech": ctx.mech.dotted_form,
                  "target": str(ctx.target_name), "sizes": sizes}))

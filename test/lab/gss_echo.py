#!/usr/bin/python3
"""A GSS acceptor for tests, over python3-gssapi (MIT): every per-message call and a
look inside.

usage: gss_echo.py PORT [KEYTAB] [CHANNEL-BINDINGS-HEX]

Every frame is a 32-bit length (big-endian) and that many bytes. First the context
tokens, both ways, until both sides are done (the server then sends b"" if it has no
last token); after that each frame is one letter and a payload, answered by one frame:
  w TOKEN             unwrap; answer the message wrapped again, as confidential as it was
  r TOKEN             the same, answered in rotated form: wrap_iov without a trailer (RFC 4121 4.2.5)
  m LEN32 MSG MIC     verify MIC; answer a MIC over MSG
  i                   answer JSON: names, flags, mechanism, lifetime, PAC buffers, keys
An error is answered as JSON {"error": ...}, in the handshake too; then it hangs up.
"""
import json, socketserver, struct, sys
import gssapi
from gssapi import raw
T = raw.IOVBufferType

PORT = int(sys.argv[1])
KEYTAB = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else None
BINDINGS = raw.ChannelBindings(application_data=bytes.fromhex(sys.argv[3])) if len(sys.argv) > 3 else None

def pac_types(name):
    try: pac = raw.get_name_attribute(name, b"urn:mspac:").values[0]
    except gssapi.exceptions.GSSError: return None
    count, = struct.unpack_from("<I", pac)
    return [struct.unpack_from("<I", pac, 8 + 16 * i)[0] for i in range(count)]

def lucid(ctx):
    """The keys, as only a test may see them (this destroys the context it is given)."""
    c = raw.krb5_export_lucid_sec_context(ctx, 1)
    out = {"initiator": bool(c.is_initiator), "send_seq": c.send_seq, "recv_seq": c.recv_seq,
           "endtime": c.endtime, "protocol": c.protocol}
    if c.protocol == 1:
        k = c.cfx_kd
        out["ctx_key"] = {"type": k.ctx_key_type, "key": (k.ctx_key or b"").hex()}
        if k.acceptor_subkey:
            out["acceptor_key"] = {"type": k.acceptor_subkey_type, "key": k.acceptor_subkey.hex()}
    else:
        out["sign_alg"], out["seal_alg"] = c.rfc1964_kd.sign_alg, c.rfc1964_kd.seal_alg
        out["ctx_key"] = {"type": c.rfc1964_kd.key_type, "key": (c.rfc1964_kd.key or b"").hex()}
    return out

class Peer(socketserver.BaseRequestHandler):
    def recv(self):
        head = self.exact(4)
        return self.exact(struct.unpack("!I", head)[0])

    def exact(self, n):
        out = b""
        while len(out) < n:
            data = self.request.recv(n - len(out))
            if not data: raise EOFError
            out += data
        return out

    def send(self, data): self.request.sendall(struct.pack("!I", len(data)) + data)

    def handle(self):
        try: self.serve()
        except EOFError: pass
        except Exception as e:
            print("error", repr(e), flush=True)
            self.send(json.dumps({"error": str(e), "class": type(e).__name__}).encode())

    def serve(self):
        store = {"keytab": KEYTAB} if KEYTAB else None
        creds = gssapi.Credentials(usage="accept", store=store) if store else gssapi.Credentials(usage="accept")
        self.ctx = gssapi.SecurityContext(creds=creds, usage="accept", channel_bindings=BINDINGS)
        while not self.ctx.complete:
            out = self.ctx.step(self.recv())
            self.send(out or b"")
        print("context from", self.ctx.initiator_name, flush=True)
        while True:
            frame = self.recv()
            op, body = frame[:1].decode(), frame[1:]
            self.send(getattr(self, "op_" + op)(body))

    def op_w(self, body):
        got = self.ctx.unwrap(body)
        return self.ctx.wrap(got.message, got.encrypted).message

    def op_r(self, body):
        got = self.ctx.unwrap(body)
        iov = raw.IOV((T.header, True), (T.data, False, got.message), std_layout=False)
        raw.wrap_iov(self.ctx, iov, confidential=got.encrypted)
        return iov[0].value + iov[1].value

    def op_m(self, body):
        n, = struct.unpack_from("!I", body)
        self.ctx.verify_signature(body[4:4 + n], body[4 + n:])
        return self.ctx.get_signature(body[4:4 + n])

    def op_i(self, _):
        c = self.ctx
        delegated = getattr(c, "_delegated_creds", None)     # an imported context has not even the attribute
        info = {"initiator": str(c.initiator_name), "target": str(c.target_name), "mech": c.mech.dotted_form,
                "lifetime": c.lifetime, "flags": int(c.actual_flags),
                "flag_names": sorted(f.name for f in c.actual_flags),
                "delegated": delegated and str(delegated.name),
                "pac": pac_types(c.initiator_name)}
        def attempt(name, get):
            try: info[name] = get()
            except Exception as e: info[name] = {"error": str(e)}
        attempt("ticket_flags", lambda: raw.krb5_get_tkt_flags(c))
        attempt("authtime", lambda: raw.krb5_extract_authtime_from_sec_context(c))
        attempt("session_key", lambda: [x.hex() for x in raw.inquire_sec_context_by_oid(
            c, gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5"))])
        token = c.export()                          # lucid destroys: work on a copy
        self.ctx = gssapi.SecurityContext(token=token)
        attempt("lucid", lambda: lucid(gssapi.SecurityContext(token=token)))
        return json.dumps(info).encode()

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

Server(("127.0.0.1", PORT), Peer).serve_forever()

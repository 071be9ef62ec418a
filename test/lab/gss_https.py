#!/usr/bin/python3
"""HTTPS with Negotiate over python-gssapi, whose context is bound to the certificate (tls-server-end-point).

usage: gss_https.py PORT CERTIFICATE KEY KEYTAB      both in PEM

  /require  401 unless the client's context is bound, too        /allow  a client may leave it out

Answers with a line: the user, and whether the context is bound.
"""
import base64, hashlib, ssl, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import gssapi
from gssapi.raw import ChannelBindings

port, certificate, key, keytab = int(sys.argv[1]), *sys.argv[2:5]
with open(certificate) as pem: digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).digest()
bindings = ChannelBindings(application_data=b"tls-server-end-point:" + digest)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text, token=None):
        self.send_response(status)
        if status == 401 or token:
            self.send_header("WWW-Authenticate", "Negotiate " + base64.b64encode(token or b"").decode())
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        scheme, _, data = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Negotiate": return self.answer(401, "who is there?")
        try:
            creds = gssapi.Credentials(usage="accept", store={"keytab": keytab})
            context = gssapi.SecurityContext(creds=creds, usage="accept", channel_bindings=bindings)
            token = context.step(base64.b64decode(data))
            # where there is a token that says why, step throws nothing, and this does
            if not context.complete: return self.answer(401, "go on", token)
            bound = gssapi.RequirementFlag.channel_bound in context.actual_flags
        except gssapi.exceptions.GSSError as error:
            return self.answer(401, type(error).__name__)
        if self.path == "/require" and not bound: return self.answer(401, "not bound")
        self.answer(200, f"{context.initiator_name} bound={bound}", token)

    def log_message(self, *_): pass

server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()

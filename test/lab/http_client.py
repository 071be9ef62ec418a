#!/usr/bin/python3
"""Python's ways to open Negotiate-protected pages.

usage: http_client.py requests|kerberos|gssapi URL [JSON]

  requests  requests-kerberos: "mutual" REQUIRED, OPTIONAL or DISABLED, "delegate", "preemptive"
  kerberos  the module kerberos: "mech" krb5 or spnego, "delegate"
  gssapi    python-gssapi, with the calls of requests-gssapi, which Debian has not: "mech", "delegate", and "bind" for
            channel bindings: true for the server's certificate (tls-server-end-point), a text for others

"times" pages are got over one connection (1 unless said). The CA of https is in REQUESTS_CA_BUNDLE.
Prints a JSON list, one of {"status", "body", "proven", "sent"} for each page: whether the server's token was verified,
and how many requests it took.
"""
import base64, hashlib, http.client, json, os, re, ssl, sys
from urllib.parse import urlsplit

how, url = sys.argv[1:3]
options = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
parts = urlsplit(url)
times, delegate, mech = options.get("times", 1), options.get("delegate", False), options.get("mech", "spnego")

def by_requests():
    import requests, requests_kerberos
    auth = requests_kerberos.HTTPKerberosAuth(
        mutual_authentication=getattr(requests_kerberos, options.get("mutual", "REQUIRED")),
        delegate=delegate, force_preemptive=options.get("preemptive", False))
    with requests.Session() as session:
        for _ in range(times):
            answer = session.get(url, timeout=20, auth=auth)
            yield {"status": answer.status_code, "body": answer.text, "sent": 1 + len(answer.history),
                   "proven": re.match("Negotiate .", answer.headers.get("www-authenticate", "")) is not None}

class ByKerberos:
    """kerberos.authGSSClient…, as its documentation has it."""
    def __init__(self, _certificate):
        import kerberos
        self.kerberos = kerberos
        flags = kerberos.GSS_C_MUTUAL_FLAG | kerberos.GSS_C_SEQUENCE_FLAG | (kerberos.GSS_C_DELEG_FLAG if delegate else 0)
        oid = kerberos.GSS_MECH_OID_KRB5 if mech == "krb5" else kerberos.GSS_MECH_OID_SPNEGO
        _, self.context = kerberos.authGSSClientInit("HTTP@" + parts.hostname, gssflags=flags, mech_oid=oid)
    def token(self):
        self.kerberos.authGSSClientStep(self.context, "")
        return self.kerberos.authGSSClientResponse(self.context)
    def verify(self, token):
        return self.kerberos.authGSSClientStep(self.context, token) == self.kerberos.AUTH_GSS_COMPLETE

class ByGssapi:
    """gssapi.SecurityContext, as requests-gssapi calls it."""
    def __init__(self, certificate):
        import gssapi
        from gssapi.raw import ChannelBindings
        flags = [gssapi.RequirementFlag.mutual_authentication, gssapi.RequirementFlag.out_of_sequence_detection]
        if delegate: flags.append(gssapi.RequirementFlag.delegate_to_peer)
        oid = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2" if mech == "krb5" else "1.3.6.1.5.5.2")
        bind, bindings = options.get("bind"), None
        if bind is True: bindings = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()
        elif bind: bindings = bind.encode()
        self.context = gssapi.SecurityContext(
            name=gssapi.Name("HTTP@" + parts.hostname, gssapi.NameType.hostbased_service), mech=oid, flags=flags,
            usage="initiate", channel_bindings=bindings and ChannelBindings(application_data=bindings))
    def token(self):
        return base64.b64encode(self.context.step()).decode()
    def verify(self, token):
        self.context.step(base64.b64decode(token))
        return self.context.complete

def by_hand(client):
    if parts.scheme == "https":
        trusted = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=20, context=trusted)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    def get(headers={}):
        connection.request("GET", parts.path or "/", headers=headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    for _ in range(times):
        answer, body = get()
        sent, proven = 1, False
        if answer.status == 401:
            context = client(connection.sock.getpeercert(True) if parts.scheme == "https" else None)
            answer, body = get({"Authorization": "Negotiate " + context.token()})
            sent, proof = 2, re.match("Negotiate (.+)", answer.headers.get("www-authenticate", ""))
            proven = proof is not None and context.verify(proof[1])
        yield {"status": answer.status, "body": body, "sent": sent, "proven": proven}

pages = {"requests": by_requests, "kerberos": lambda: by_hand(ByKerberos), "gssapi": lambda: by_hand(ByGssapi)}
print(json.dumps(list(pages[how]())))

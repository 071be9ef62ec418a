#!/usr/bin/python3
"""Shows what libkrb5's acceptor makes of the PAC in a ticket.

usage: gss_pac.py SERVICE   with KRB5CCNAME holding a login and KRB5_KTNAME the service's keys

Prints one line of JSON: the client's name, the types of the PAC's buffers, whether
libkrb5 verified the PAC with the key of the service, the authentication indicators that it believes, and all attributes
of the name: whether each is authenticated and complete, and its values in hexadecimal, those for people among them.
"""
import json
import struct
import sys
import gssapi
from gssapi import raw

target = gssapi.Name(sys.argv[1], gssapi.NameType.kerberos_principal)
client = gssapi.SecurityContext(name=target, usage="initiate")
server = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept")
token = client.step()
while token and not server.complete:
    token = server.step(token)
    if token and not client.complete:
        token = client.step(token)
found = raw.get_name_attribute(server.initiator_name, b"urn:mspac:")
pac = found.values[0]
count = struct.unpack_from("<I", pac)[0]
types = [struct.unpack_from("<I", pac, 8 + 16 * i)[0] for i in range(count)]
try:
    indicators = [value.decode() for value in raw.get_name_attribute(server.initiator_name, b"auth-indicators").values]
except gssapi.exceptions.GSSError:
    indicators = []
attributes = {}
for name in raw.inquire_name(server.initiator_name).attrs:
    one = raw.get_name_attribute(server.initiator_name, name)
    attributes[name.decode()] = {"authenticated": bool(one.authenticated), "complete": bool(one.complete),
                                 "values": [value.hex() for value in one.values],
                                 "display": [(text or b"").decode() for text in one.display_values]}
print(json.dumps({"client": str(server.initiator_name), "types": types, "verified": bool(found.authenticated),
                  "indicators": indicators, "attributes": attributes}))

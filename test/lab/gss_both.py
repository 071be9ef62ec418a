#!/usr/bin/python3
"""Both sides of a context in one process over python3-gssapi, as C programs have it from the library's plugins.

usage: gss_both.py SERVICE [krb5|spnego]   SERVICE hostbased, name@host; standard input a JSON object of what else is wanted:

  "flags"     names of gssapi.RequirementFlag
  "creds"     acquire both sides' credentials first, and use them
  "bindings"  [initiator's, acceptor's] channel bindings; null for none
  "onward"    a service to initiate at with what was delegated; its token is accepted here, too
  "as"        a user in whose name the credentials are got (S4U2Self), as those of SERVICE's acceptor

Prints JSON: who is who, the flags, and what was wrapped; {"error": text} for what GSS-API refuses.
"""
import json, sys
import gssapi
from gssapi.raw import ChannelBindings

F, USER, HOST = gssapi.RequirementFlag, gssapi.NameType.user, gssapi.NameType.hostbased_service
MECHANISMS = {"krb5": gssapi.MechType.kerberos, "spnego": gssapi.OID.from_int_seq("1.3.6.1.5.5.2")}
service = gssapi.Name(sys.argv[1], HOST)
mech = MECHANISMS[sys.argv[2] if len(sys.argv) > 2 else "krb5"]
wanted = json.loads(sys.stdin.read() or "{}")
flags = [getattr(F, name) for name in wanted.get("flags", ["mutual_authentication", "integrity", "confidentiality"])]
bindings = [data and ChannelBindings(application_data=data.encode()) for data in wanted.get("bindings", [None, None])]

def handshake(target, initiator, acceptor):
    i = gssapi.SecurityContext(name=target, creds=initiator, usage="initiate", mech=mech, flags=flags,
                               channel_bindings=bindings[0])
    a = gssapi.SecurityContext(creds=acceptor, usage="accept", channel_bindings=bindings[1])
    token = i.step()
    while token:
        token = a.step(token)
        token = i.step(token) if token and not i.complete else None
    return i, a

def main():
    said, creds, own = {}, None, None
    if wanted.get("creds") or "as" in wanted:
        own = gssapi.Credentials(usage="both" if "as" in wanted else "accept")
        creds = own if "as" in wanted else gssapi.Credentials(usage="initiate")
        said["acceptor"] = str(own.name)
    if "as" in wanted:
        creds = own.impersonate(gssapi.Name(wanted["as"], USER))
        said["impersonated"] = str(creds.name)
    elif creds:
        said["creds"] = [str(creds.name), creds.lifetime > 0]
    i, a = handshake(service, creds, own)
    sealed = i.wrap(b"hello", True)
    opened = a.unwrap(sealed.message)
    a.verify_signature(b"there", i.get_signature(b"there"))
    i.verify_signature(b"back", a.get_signature(b"back"))
    said.update(initiator=str(a.initiator_name), target=str(i.target_name), mech=i.mech.dotted_form,
                flags=sorted(flag.name for flag in a.actual_flags), delegated=a.delegated_creds is not None,
                message=opened.message.decode(), encrypted=opened.encrypted)
    if "onward" in wanted:
        _, b = handshake(gssapi.Name(wanted["onward"], HOST), a.delegated_creds, None)
        said["onward"] = str(b.initiator_name)
    return said

try:
    print(json.dumps(main()))
except gssapi.exceptions.GSSError as error:
    print(json.dumps({"error": str(error)}))

#!/usr/bin/python3
"""Credentials that are exported and imported, over python3-gssapi (MIT).

usage: gss_creds.py export default|password|accept|both|impersonate|enctypes [USER]
       gss_creds.py initiate TOKEN-HEX SERVICE [krb5|spnego]
       gss_creds.py accept TOKEN-HEX CONTEXT-TOKEN-HEX

`export` prints the token, of the credentials of the environment, of USER by USER-pw, of the
environment's service in the name of USER, or of the environment with AES128 keys alone.
`initiate` and `accept` import a token, and print JSON: who the credentials say they are, and
the context's next token, with the session key's enctype where the context stands.
"""
import json, sys
import gssapi
from gssapi import raw

KRB5, SPNEGO = gssapi.MechType.kerberos, gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
principal = lambda text: gssapi.Name(text, gssapi.NameType.kerberos_principal)

def exported(what, user=None):
    if what == "password":
        return gssapi.Credentials(raw.acquire_cred_with_password(principal(user), (user.split("@")[0] + "-pw").encode()).creds)
    if what == "impersonate":
        return gssapi.Credentials(usage="initiate").impersonate(principal(user))
    if what == "enctypes":
        creds = gssapi.Credentials(usage="initiate", mechs=[KRB5])
        raw.krb5_set_allowable_enctypes(creds, [17])
        return creds
    return gssapi.Credentials(usage="initiate" if what == "default" else what)

def imported(token):
    creds = gssapi.Credentials(token=bytes.fromhex(token))
    about = {"usage": creds.usage, "mechs": sorted(m.dotted_form for m in creds.mechs)}
    try: about["name"] = str(creds.name)
    except gssapi.exceptions.GSSError: about["name"] = None    # an acceptor of any name
    return creds, about

command, *words = sys.argv[1:]
if command == "export":
    print(exported(*words).export().hex())
elif command == "initiate":
    creds, about = imported(words[0])
    mech = SPNEGO if words[2:] == ["spnego"] else KRB5
    context = gssapi.SecurityContext(name=principal(words[1]), creds=creds, mech=mech, usage="initiate", flags=[])
    print(json.dumps({**about, "token": context.step().hex()}))
else:
    creds, about = imported(words[0])
    context = gssapi.SecurityContext(creds=creds, usage="accept")
    answer = context.step(bytes.fromhex(words[1]))
    print(json.dumps({**about, "complete": context.complete, "initiator": str(context.initiator_name)}))

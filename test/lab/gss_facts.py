#!/usr/bin/python3
"""What libgssapi_krb5 says of itself, over python3-gssapi: a command, its outcome as JSON.

usage: gss_facts.py mechs           attributes, SASL name and types of names of each mechanism
       gss_facts.py half krb5|spnego SERVICE FLAGS
                                    export a context after its first token: that token, and the context or the error
       gss_facts.py half-accept TOKEN-HEX
                                    the same of an acceptor in DCE style
       gss_facts.py resume initiate|accept CONTEXT-HEX TOKEN-HEX SERVICE
                                    go on with such a context: the token that goes back, and a message wrapped by it
       gss_facts.py error TOKEN-HEX BINDINGS-HEX
                                    accept a token with channel bindings: the token that goes back, or the error
       gss_facts.py delegated TOKEN-HEX
                                    accept a token: whose credentials it hands over, or the error
       gss_facts.py qop SERVICE     wrap with a quality of protection that there is none of
"""
import json, sys
import gssapi
from gssapi import raw

MECHS = {"krb5": gssapi.MechType.kerberos, "spnego": gssapi.OID.from_int_seq("1.3.6.1.5.5.2")}
dotted = lambda oids: sorted(oid.dotted_form for oid in oids)
principal = lambda text: gssapi.Name(text, gssapi.NameType.kerberos_principal)
command, *words = sys.argv[1:]

def attempt(do):
    try: return do()
    except gssapi.exceptions.GSSError as error: return type(error).__name__

if command == "mechs":
    outcome = {}
    for mech in raw.indicate_mechs():
        sasl = raw.inquire_saslname_for_mech(mech)
        outcome[mech.dotted_form] = {
            "attributes": dotted(raw.inquire_attrs_for_mech(mech).mech_attrs),
            "sasl": sasl.sasl_mech_name.decode(), "name": sasl.mech_name.decode(),
            "names": dotted(raw.inquire_names_for_mech(mech))}
elif command == "half":
    context = gssapi.SecurityContext(name=principal(words[1]), mech=MECHS[words[0]], usage="initiate", flags=int(words[2]))
    sent = context.step()
    outcome = {"sent": sent.hex(), "context": attempt(lambda: context.export().hex())}
elif command == "half-accept":
    context = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept")
    sent = context.step(bytes.fromhex(words[0]))
    outcome = {"sent": sent.hex(), "context": attempt(lambda: context.export().hex())}
elif command == "resume":
    # not by SecurityContext.step, which asks a half-open context for its target, and that MIT does not tell
    context, token = raw.import_sec_context(bytes.fromhex(words[1])), bytes.fromhex(words[2])
    if words[0] == "initiate":
        went = raw.init_sec_context(principal(words[3]), context=context, mech=MECHS["krb5"], input_token=token)
    else:
        went = raw.accept_sec_context(token, context=context)
    outcome = {"more": went.more_steps, "sent": (went.token or b"").hex(),
               "message": raw.wrap(went.context, b"resumed", True).message.hex()}
elif command == "delegated":
    context = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept")
    context.step(bytes.fromhex(words[0]))
    outcome = attempt(lambda: str(context.delegated_creds.name))
elif command == "error":
    bindings = raw.ChannelBindings(application_data=bytes.fromhex(words[1]))
    context = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept", channel_bindings=bindings)
    outcome = attempt(lambda: context.step(bytes.fromhex(words[0])).hex())
else:
    context = gssapi.SecurityContext(name=principal(words[0]), usage="initiate", flags=[])
    context.step()
    outcome = attempt(lambda: raw.wrap(context, b"x", True, 1).message.hex())
print(json.dumps(outcome))

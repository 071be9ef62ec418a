#!/usr/bin/python3
"""One side of a security context by python3-gssapi (MIT), a command a line: what gss_peer.c does, whose head says it all,
but for `lengths` and `prf`, which python-gssapi has not.
"""
import sys
import gssapi
from gssapi import raw
gssapi.SecurityContext.__DEFER_STEP_ERRORS__ = False     # an error's token comes with the error
T = raw.IOVBufferType
KINDS = {"h": T.header, "d": T.data, "s": T.sign_only, "p": T.padding, "t": T.trailer, "w": T.stream}
MECHANISMS = {"krb5": gssapi.MechType.kerberos, "spnego": gssapi.OID.from_int_seq("1.3.6.1.5.5.2")}
MAJORS = "0 BAD_MECH BAD_NAME BAD_NAMETYPE BAD_BINDINGS BAD_STATUS BAD_MIC NO_CRED NO_CONTEXT DEFECTIVE_TOKEN " \
         "DEFECTIVE_CREDENTIAL CREDENTIALS_EXPIRED CONTEXT_EXPIRED FAILURE BAD_QOP UNAUTHORIZED UNAVAILABLE " \
         "DUPLICATE_ELEMENT NAME_NOT_MN".split()
SUPPLEMENTARY = {gssapi.exceptions.DuplicateTokenError: 2, gssapi.exceptions.ExpiredTokenError: 4,
                 gssapi.exceptions.TokenOutOfSequenceError: 8, gssapi.exceptions.TokenTooLateError: 8,
                 gssapi.exceptions.TokenTooEarlyError: 16}
octets = lambda text: b"" if text == "-" else bytes.fromhex(text)
text = lambda data: data.hex() if data else "-"
keys = context = acting = None

def bindings(words):
    if words == "-": return None
    itype, iaddr, atype, aaddr, data = words.split(":")
    empty = lambda hex: octets(hex or "-") or None
    return raw.ChannelBindings(int(itype), empty(iaddr), int(atype), empty(aaddr), empty(data))

def buffers(words, make):
    made = [(KINDS[w[0]], w[0] in "hpt" if make else w[0] == "d" and w[2:] == "-", octets(w[2:] or "-") or None) for w in words]
    return raw.IOV(*made, std_layout=False)

def pieces(words, iov): return " ".join(f"{w[0]}:{text(b.value or b'')}" for w, b in zip(words, iov))

def status(found):
    """unwrap and verify tell of replays and disorder by an exception that has the result."""
    try: return 0, found()
    except tuple(SUPPLEMENTARY) as error: return SUPPLEMENTARY[type(error)], error

def answer(command, *a):
    global keys, context, acting
    if command == "initiate":
        kind = gssapi.NameType.kerberos_principal if "/" in a[0] else gssapi.NameType.hostbased_service
        context = gssapi.SecurityContext(name=gssapi.Name(a[0], kind), mech=MECHANISMS[a[1]], usage="initiate", creds=acting,
                                         flags=int(a[2]), channel_bindings=bindings(a[3]))
        return "ok"
    if command == "accept":
        keys = keys or gssapi.Credentials(usage="accept")
        context = gssapi.SecurityContext(creds=keys, usage="accept", channel_bindings=bindings(a[1]))
        return "ok"
    if command == "step":
        token = context.step(octets(a[0]) or None)
        # MIT says GSS_S_DUPLICATE_TOKEN, which python-gssapi takes for no error; the context is none all the same
        return f"{'complete' if context.complete else 'continue'} {text(token)}"
    if command == "wrap":
        made = context.wrap(octets(a[1]), a[0] == "1")
        return f"{int(made.encrypted)} {text(made.message)}"
    if command == "unwrap":
        code, got = status(lambda: raw.unwrap(context, octets(a[0])))
        return f"{int(got.encrypted)} {code} {text(got.message)}" if not code else f"- {code} -"
    if command == "mic": return text(context.get_signature(octets(a[0])))
    if command == "verify": return str(status(lambda: raw.verify_mic(context, octets(a[0]), octets(a[1])))[0])
    if command == "wrapiov":
        iov = buffers(a[1:], True)
        return f"{int(raw.wrap_iov(context, iov, confidential=a[0] == '1'))} {pieces(a[1:], iov)}"
    if command == "unwrapiov":
        iov = buffers(a, False)
        return f"{int(raw.unwrap_iov(context, iov).encrypted)} 0 {pieces(a, iov)}"
    if command == "miciov":
        iov = raw.IOV(*[(KINDS[w[0]], False, octets(w[2:])) for w in a], (T.mic_token, True), std_layout=False)
        raw.get_mic_iov(context, iov)
        return text(iov[len(a)].value)
    if command == "aead": return text(raw.wrap_aead(context, octets(a[2]), octets(a[1]), a[0] == "1").message)
    if command == "unaead":
        got = raw.unwrap_aead(context, octets(a[1]), octets(a[0]))
        return f"{int(got.encrypted)} {text(got.message)}"
    if command == "limit": return str(raw.wrap_size_limit(context, int(a[1]), a[0] == "1"))
    if command == "key":
        return text(raw.inquire_sec_context_by_oid(context, gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5"))[0])
    if command == "inquire":
        got = raw.inquire_context(context)
        mech = {oid: name for name, oid in MECHANISMS.items()}.get(got.mech, "other")
        say = lambda name: str(gssapi.Name(name)).replace(" ", "+")
        return f"{say(got.initiator_name)} {say(got.target_name)} {mech} {int(got.flags)} {got.lifetime}"
    if command == "delegated":
        return str(context.delegated_creds.name) if context.delegated_creds else "-"
    if command == "act":
        acting = context.delegated_creds if a[0] == "1" else None
        return "ok"
    if command == "export": return text(context.export())
    if command == "import":
        context = gssapi.SecurityContext(token=octets(a[0]))
        return "ok"
    if command == "process":
        raw.process_context_token(context, octets(a[0]))
        return "ok"
    return f"error UNKNOWN - {command}"

for line in sys.stdin:
    try: said = answer(*line.split())
    except gssapi.exceptions.GSSError as error:
        major = MAJORS[error.maj_code >> 16 & 255]
        said = f"error GSS_S_{major} {text(getattr(error, 'token', None))} {error}"
    except Exception as error: said = f"error {type(error).__name__} - {error}"
    print(said.replace("\n", " "), flush=True)

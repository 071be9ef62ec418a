#!/usr/bin/python3
"""The acceptor of an IAKERB context, over python3-gssapi (MIT); a token a line, in hexadecimal.

Writes `done` and who the initiator is once the context stands, then takes one wrapped message
and sends it back wrapped. An error is written as `error` and what it is.
(python3-gssapi cannot initiate: it gives MIT's library an empty token first, which IAKERB
refuses. MIT's gss-client can.)
"""
import sys
import gssapi

IAKERB = gssapi.OID.from_int_seq("1.3.6.1.5.2.5")

def say(*words): print(*words, flush=True)
def hear():
    line = sys.stdin.readline()
    if not line: sys.exit(0)
    return bytes.fromhex(line.strip())

try:
    ctx = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept", mechs=[IAKERB]), usage="accept")
    while not ctx.complete:
        token = ctx.step(hear())
        if token: say(token.hex())
    say("done", ctx.initiator_name)
    say(ctx.wrap(ctx.unwrap(hear()).message, True).message.hex())
except Exception as error:
    say("error", str(error))

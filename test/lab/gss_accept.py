#!/usr/bin/python3
"""Shows whether libkrb5's acceptor takes a token.

usage: gss_accept.py TOKEN-HEX   with KRB5_KTNAME holding the keys, KRB5RCACHENAME naming the replay cache

Prints `accepted`, or why not.
"""
import sys
import gssapi

try:
    server = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept")
    server.step(bytes.fromhex(sys.argv[1]))
    # MIT says GSS_S_DUPLICATE_TOKEN, which python-gssapi takes for no error; the context is none all the same.
    print("accepted" if server.complete else "replay")
except gssapi.exceptions.GSSError as error:
    print(str(error))

"""MIT's krb5_kuserok: a JSON list of [principal, user] in, a list of booleans out; KRB5_CONFIG says the rules."""
import ctypes
import json
import sys

krb5 = ctypes.CDLL("libkrb5.so.3")
context = ctypes.c_void_p()
code = krb5.krb5_init_context(ctypes.byref(context))
if code:
    sys.exit(f"krb5_init_context: {code}")
answers = []
for text, user in json.load(sys.stdin):
    principal = ctypes.c_void_p()
    code = krb5.krb5_parse_name(context, text.encode(), ctypes.byref(principal))
    if code:
        sys.exit(f"krb5_parse_name: {code}")
    answers.append(bool(krb5.krb5_kuserok(context, principal, user.encode())))
json.dump(answers, sys.stdout)

"""Local names by MIT's krb5_aname_to_localname: a JSON list of principals in, a list of [code, name] out; KRB5_CONFIG says the rules."""
import ctypes
import json
import sys

krb5 = ctypes.CDLL("libkrb5.so.3")
context = ctypes.c_void_p()
code = krb5.krb5_init_context(ctypes.byref(context))
if code:
    sys.exit(f"krb5_init_context: {code}")
answers = []
for text in json.load(sys.stdin):
    principal = ctypes.c_void_p()
    code = krb5.krb5_parse_name(context, text.encode(), ctypes.byref(principal))
    if code:
        sys.exit(f"krb5_parse_name: {code}")
    name = ctypes.create_string_buffer(2048)
    code = krb5.krb5_aname_to_localname(context, principal, len(name), name)
    answers.append([code, None if code else name.value.decode()])
json.dump(answers, sys.stdout)

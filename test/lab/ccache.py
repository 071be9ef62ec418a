#!/usr/bin/python3
"""ccache.py COMMAND [ARGUMENT...] - what MIT's library does to credential caches and its tools do not offer.

The cache is that of KRB5CCNAME.

  set-config KEY VALUE [PRINCIPAL]   krb5_cc_set_config
  remove-config KEY [PRINCIPAL]      krb5_cc_set_config without a value
  get-config KEY [PRINCIPAL]         krb5_cc_get_config: prints the value
  remove SERVICE                     krb5_cc_remove_cred of every ticket for it
  store N                            krb5_cc_store_cred of the first ticket, N times, one after the other
  read-cred FILE                     krb5_rd_cred of a KRB-CRED in the clear, into the cache
  write-cred FILE                    krb5_mk_1cred of the first ticket, in the clear
"""
import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int32, c_uint32, c_void_p

krb5 = ctypes.CDLL("libkrb5.so.3")
krb5.krb5_get_error_message.restype = c_char_p


class Data(Structure):
    _fields_ = [("magic", c_int32), ("length", c_uint32), ("data", c_void_p)]


class Creds(Structure):
    """Opaque but for its first pointers."""
    _fields_ = [("magic", c_int32), ("client", c_void_p), ("server", c_void_p), ("rest", c_void_p * 40)]


def call(name, *args):
    code = getattr(krb5, name)(*args)
    if code:
        sys.exit(f"{name}: {krb5.krb5_get_error_message(context, code).decode()}")


def data(octets):
    return Data(0, len(octets), ctypes.cast(ctypes.create_string_buffer(octets, len(octets)), c_void_p))


def principal(name):
    out = c_void_p()
    call("krb5_parse_name", context, name.encode(), byref(out))
    return out


def tickets():
    """Every ticket of the cache, configuration left out."""
    cursor = c_void_p()
    call("krb5_cc_start_seq_get", context, cache, byref(cursor))
    found = []
    while True:
        creds = Creds()
        if krb5.krb5_cc_next_cred(context, cache, byref(cursor), byref(creds)):
            break
        if not krb5.krb5_is_config_principal(context, c_void_p(creds.server)):
            found.append(creds)
    call("krb5_cc_end_seq_get", context, cache, byref(cursor))
    return found


def bare_context():
    """An auth context that checks no times, and has no key to encrypt with."""
    auth = c_void_p()
    call("krb5_auth_con_init", context, byref(auth))
    call("krb5_auth_con_setflags", context, auth, c_int32(0))
    return auth


context, cache = c_void_p(), c_void_p()
call("krb5_init_context", byref(context))
call("krb5_cc_default", context, byref(cache))
command, *arguments = sys.argv[1:]
if command == "set-config":
    key, value, *about = arguments
    call("krb5_cc_set_config", context, cache, principal(about[0]) if about else None, key.encode(), byref(data(value.encode())))
elif command == "remove-config":
    key, *about = arguments
    call("krb5_cc_set_config", context, cache, principal(about[0]) if about else None, key.encode(), None)
elif command == "get-config":
    key, *about = arguments
    out = Data()
    call("krb5_cc_get_config", context, cache, principal(about[0]) if about else None, key.encode(), byref(out))
    print(ctypes.string_at(out.data, out.length).decode())
elif command == "remove":
    wanted = principal(arguments[0])
    for creds in tickets():
        if krb5.krb5_principal_compare(context, c_void_p(creds.server), wanted):
            call("krb5_cc_remove_cred", context, cache, c_int32(0), byref(creds))
elif command == "store":
    creds = tickets()[0]
    for _ in range(int(arguments[0])):
        call("krb5_cc_store_cred", context, cache, byref(creds))
elif command == "read-cred":
    with open(arguments[0], "rb") as file:
        octets = file.read()
    all_creds = POINTER(POINTER(Creds))()
    call("krb5_rd_cred", context, bare_context(), byref(data(octets)), byref(all_creds), None)
    call("krb5_cc_initialize", context, cache, c_void_p(all_creds[0].contents.client))
    at = 0
    while all_creds[at]:
        call("krb5_cc_store_cred", context, cache, all_creds[at])
        at += 1
elif command == "write-cred":
    out = POINTER(Data)()
    call("krb5_mk_1cred", context, bare_context(), byref(tickets()[0]), byref(out), None)
    with open(arguments[0], "wb") as file:
        file.write(ctypes.string_at(out.contents.data, out.contents.length))
else:
    sys.exit(__doc__)

#!/usr/bin/python3
"""KRB-SAFE, KRB-PRIV and KRB-CRED by MIT's library, for keys that the test chooses.

krb5_session.py ENCTYPE KEYHEX   then a line per message on standard input:
  make safe|priv SEQ DATAHEX       prints the message in hexadecimal
  read safe|priv SEQ MESSAGEHEX    prints the data, or "error: ..." in MIT's words
  cred CCACHE                      prints a KRB-CRED of the first ticket in that FILE ccache
  uncred MESSAGEHEX                prints "client server" of every ticket in it

KRB5RCACHENAME=none: must be in the environment.
SEQ is the sequence number that is sent or expected, or "time" for messages with a timestamp instead.
"""
import sys
from ctypes import (CDLL, POINTER, Structure, byref, c_char_p, c_int32, c_uint, c_ubyte, c_uint32, c_void_p, cast,
                    string_at)

krb5 = CDLL('libkrb5.so.3')
DO_TIME, DO_SEQUENCE = 1, 4


class Data(Structure):
    _fields_ = [('magic', c_int32), ('length', c_uint), ('data', c_void_p)]


class Keyblock(Structure):
    _fields_ = [('magic', c_int32), ('enctype', c_int32), ('length', c_uint), ('contents', c_void_p)]


class Address(Structure):
    _fields_ = [('magic', c_int32), ('addrtype', c_int32), ('length', c_uint), ('contents', c_void_p)]


context = c_void_p()
krb5.krb5_init_context(byref(context))
krb5.krb5_get_error_message.restype = c_void_p
key_octets = bytes.fromhex(sys.argv[2])
key_buffer = (c_ubyte * len(key_octets)).from_buffer_copy(key_octets)
key = Keyblock(0, int(sys.argv[1]), len(key_octets), cast(key_buffer, c_void_p))
local = (c_ubyte * 4)(127, 0, 0, 1)
address = Address(0, 2, 4, cast(local, c_void_p))


class Refused(Exception):
    pass


def check(code):
    if code:
        raise Refused(string_at(krb5.krb5_get_error_message(context, code)).decode())


def session(number):
    auth = c_void_p()
    check(krb5.krb5_auth_con_init(context, byref(auth)))
    check(krb5.krb5_auth_con_setflags(context, auth, DO_TIME if number == 'time' else DO_SEQUENCE))
    check(krb5.krb5_auth_con_setuseruserkey(context, auth, byref(key)))
    check(krb5.krb5_auth_con_setaddrs(context, auth, byref(address), byref(address)))
    rcache = c_void_p()
    check(krb5.krb5_get_server_rcache(context, byref(data_of(b'session')[0]), byref(rcache)))
    check(krb5.krb5_auth_con_setrcache(context, auth, rcache))
    if number != 'time':
        # local and remote number are private fields: the library draws the local one, and takes the remote from an AP-REQ
        set_numbers(auth, int(number))
    return auth


def set_numbers(auth, number):
    """The sequence numbers follow the addresses, ports, keys and flags in struct _krb5_auth_context (1.20)."""
    class AuthContext(Structure):
        _fields_ = [('magic', c_int32), ('remote_addr', c_void_p), ('remote_port', c_void_p), ('local_addr', c_void_p),
                    ('local_port', c_void_p), ('key', c_void_p), ('send_subkey', c_void_p), ('recv_subkey', c_void_p),
                    ('auth_context_flags', c_int32), ('remote_seq_number', c_uint32), ('local_seq_number', c_uint32)]
    fields = cast(auth, POINTER(AuthContext)).contents
    fields.remote_seq_number = fields.local_seq_number = number


def data_of(octets):
    buffer = (c_ubyte * max(1, len(octets))).from_buffer_copy(octets or b'\0')
    return Data(0, len(octets), cast(buffer, c_void_p)), buffer


def make(kind, number, octets):
    given, _keep = data_of(octets)
    out = Data()
    check(getattr(krb5, f'krb5_mk_{kind}')(context, session(number), byref(given), byref(out), None))
    return string_at(out.data, out.length).hex()


def read(kind, number, octets):
    given, _keep = data_of(octets)
    out = Data()
    check(getattr(krb5, f'krb5_rd_{kind}')(context, session(number), byref(given), byref(out), None))
    return string_at(out.data, out.length).hex()


def cred(name):
    cache, cursor, out = c_void_p(), c_void_p(), POINTER(Data)()
    check(krb5.krb5_cc_resolve(context, name.encode(), byref(cache)))
    check(krb5.krb5_cc_start_seq_get(context, cache, byref(cursor)))
    creds = (c_ubyte * 512)()
    server = c_char_p()
    while True:  # entries of the cache's configuration are no tickets
        check(krb5.krb5_cc_next_cred(context, cache, byref(cursor), creds))
        check(krb5.krb5_unparse_name(context, cast(creds, POINTER(c_void_p))[2], byref(server)))
        if not server.value.endswith(b'X-CACHECONF:'):
            break
    check(krb5.krb5_mk_1cred(context, session('time'), creds, byref(out), None))
    return string_at(out.contents.data, out.contents.length).hex()


def uncred(octets):
    given, _keep = data_of(octets)
    creds = POINTER(c_void_p)()
    check(krb5.krb5_rd_cred(context, session('time'), byref(given), byref(creds), None))
    names = []
    for i in range(100):
        if not creds[i]:
            break
        client, server = c_char_p(), c_char_p()
        fields = cast(creds[i], POINTER(c_void_p))  # struct _krb5_creds: magic, client, server, ...
        check(krb5.krb5_unparse_name(context, c_void_p(fields[1]), byref(client)))
        check(krb5.krb5_unparse_name(context, c_void_p(fields[2]), byref(server)))
        names.append(f'{client.value.decode()} {server.value.decode()}')
    return ', '.join(names)


for line in sys.stdin:
    verb, *words = line.split()
    try:
        if verb == 'make':
            print(make(words[0], words[1], bytes.fromhex(words[2] if len(words) > 2 else '')))
        elif verb == 'read':
            print(read(words[0], words[1], bytes.fromhex(words[2])))
        elif verb == 'cred':
            print(cred(words[0]))
        else:
            print(uncred(bytes.fromhex(words[0])))
    except Refused as error:
        print(f'error: {error}')

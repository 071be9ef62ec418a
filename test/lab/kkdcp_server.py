#!/usr/bin/python3
"""Serves Debian's python3-kdcproxy ([MS-KKDCP]) over TLS.
usage: kkdcp_server.py PORT CERTIFICATE KEY      with KDCPROXY_CONFIG in the environment"""
import socketserver
import ssl
import sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import kdcproxy


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
server = make_server("127.0.0.1", port, kdcproxy.Application(), Server, WSGIRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()

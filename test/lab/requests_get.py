#!/usr/bin/python3
"""usage: requests_get.py URL - one GET by requests-kerberos, mutual authentication REQUIRED.
Prints JSON: {"status", "body"}."""
import json, sys
import requests, requests_kerberos

answer = requests.get(sys.argv[1], timeout=20, auth=requests_kerberos.HTTPKerberosAuth(
    mutual_authentication=requests_kerberos.REQUIRED))
print(json.dumps({"status": answer.status_code, "body": answer.text}))

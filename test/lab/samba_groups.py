#!/usr/bin/python3
"""Whom Samba's database has in which groups.

usage: samba_groups.py SMBCONF USER...

Prints, as JSON, for each user the SID, and those of all groups of the domain that the user is in, by other groups too.
"""
import json
import sys
from samba import param
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.samdb import SamDB
import ldb

lp = param.LoadParm()
lp.load(sys.argv[1])
db = SamDB(session_info=system_session(), lp=lp)


def sid(octets):
    return str(ndr_unpack(security.dom_sid, octets))


found = {}
for user in sys.argv[2:]:
    dn = db.search(db.domain_dn(), expression=f"(sAMAccountName={user})", attrs=[])[0].dn
    [entry] = db.search(dn, scope=ldb.SCOPE_BASE, attrs=["objectSid", "tokenGroupsGlobalAndUniversal"])
    groups = sorted(sid(each) for each in entry["tokenGroupsGlobalAndUniversal"])
    found[user] = {"user": sid(entry["objectSid"][0]), "groups": groups}
print(json.dumps(found))

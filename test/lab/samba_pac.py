#!/usr/bin/python3
"""Reads PACs with Samba's own NDR.

Each line of standard input is a PAC in hexadecimal; each line of standard output is
what Samba reads in it, as JSON, under the names that kerb gives the members.
"""
import json
import sys
from samba.dcerpc import krb5pac
from samba.ndr import ndr_unpack

NEVER = 0x7FFFFFFFFFFFFFFF


def time(ticks):
    return "never" if ticks >= NEVER else "unset" if ticks == 0 else ticks // 10**7 - 11644473600


def text(value):
    return value.string or ""


def groups(array):
    return [{"rid": group.rid, "attributes": group.attributes} for group in array.rids or []]


def sid(value):
    return None if value is None else str(value)


def logon(ctr):
    info3 = ctr.info.info3
    base = info3.base
    resource = ctr.info.resource_groups
    return {
        "logonTime": time(base.logon_time),
        "logoffTime": time(base.logoff_time),
        "kickOffTime": time(base.kickoff_time),
        "passwordLastSet": time(base.last_password_change),
        "passwordCanChange": time(base.allow_password_change),
        "passwordMustChange": time(base.force_password_change),
        "effectiveName": text(base.account_name),
        "fullName": text(base.full_name),
        "logonScript": text(base.logon_script),
        "profilePath": text(base.profile_path),
        "homeDirectory": text(base.home_directory),
        "homeDirectoryDrive": text(base.home_drive),
        "logonCount": base.logon_count,
        "badPasswordCount": base.bad_password_count,
        "userId": base.rid,
        "primaryGroupId": base.primary_gid,
        "groupIds": groups(base.groups),
        "userFlags": base.user_flags,
        "logonServer": text(base.logon_server),
        "logonDomainName": text(base.logon_domain),
        "logonDomainId": sid(base.domain_sid),
        "userAccountControl": base.acct_flags,
        "subAuthStatus": base.sub_auth_status,
        "failedLogonCount": base.failed_logon_count,
        "extraSids": [{"sid": str(each.sid), "attributes": each.attributes} for each in info3.sids or []],
        "resourceGroupDomainSid": sid(resource.domain_sid),
        "resourceGroupIds": groups(resource.groups),
    }


def upn(info):
    found = {"upn": info.upn_name, "dnsDomainName": info.dns_domain_name, "constructed": bool(info.flags & 1)}
    if info.flags & 2:
        found.update(samName=info.ex.samaccountname, sid=str(info.ex.objectsid))
    return found


def delegation(ctr):
    services = ctr.info.transited_services or []
    return {"target": text(ctr.info.proxy_target), "transited": [text(each) for each in services]}


MEMBERS = {
    krb5pac.PAC_TYPE_LOGON_INFO: ("logonInfo", logon),
    krb5pac.PAC_TYPE_LOGON_NAME: ("clientInfo", lambda info: {"authtime": time(info.logon_time), "name": info.account_name}),
    krb5pac.PAC_TYPE_CONSTRAINED_DELEGATION: ("delegation", delegation),
    krb5pac.PAC_TYPE_UPN_DNS_INFO: ("upnDns", upn),
    krb5pac.PAC_TYPE_ATTRIBUTES_INFO: (
        "attributes",
        lambda info: {"requested": bool(info.flags & 1), "implicit": bool(info.flags & 2)},
    ),
    krb5pac.PAC_TYPE_REQUESTER_SID: ("requestor", lambda info: str(info.sid)),
}

for line in sys.stdin:
    pac = ndr_unpack(krb5pac.PAC_DATA, bytes.fromhex(line.strip()))
    found = {}
    for buffer in pac.buffers:
        if buffer.type in MEMBERS:
            name, read = MEMBERS[buffer.type]
            found[name] = read(buffer.info)
    print(json.dumps(found))

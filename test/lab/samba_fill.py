#!/usr/bin/python3
"""Fills a freshly provisioned sam.ldb with the lab's accounts and exports keytabs.

usage: samba_fill.py SMBCONF KEYTABDIR GROUPS
One process against the files, before the DC starts: twenty samba-tool runs would
take twenty seconds. Passwords: the account's name followed by "-pw".
"""
import os, sys
import ldb
from samba import param, dsdb
from samba.auth import system_session
from samba.credentials import Credentials
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.net import Net
import samba.dckeytab            # what gives Net its export_keytab
from samba.samdb import SamDB

conf, keytabs, groups = sys.argv[1], sys.argv[2], int(sys.argv[3])
lp = param.LoadParm(); lp.load(conf)
creds = Credentials(); creds.guess(lp)
db = SamDB(session_info=system_session(), credentials=creds, lp=lp)
base = db.domain_dn()
realm, dom = lp.get("realm").upper(), lp.get("realm").lower()

def dn_of(account):
    return db.search(base, expression=f"(sAMAccountName={account})", attrs=[])[0].dn

def modify(account, **changes):
    msg = ldb.Message(dn_of(account))
    for name, value in changes.items():
        attr = name.replace("_", "-")
        value = value if isinstance(value, list) else [value]
        msg[attr] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attr)
    db.modify(msg)

def uac(account, flags):
    old = int(db.search(base, expression=f"(sAMAccountName={account})",
                        attrs=["userAccountControl"])[0]["userAccountControl"][0])
    modify(account, userAccountControl=str(old | flags))

def sid(account):
    res = db.search(base, expression=f"(sAMAccountName={account})", attrs=["objectSid"])
    return security.dom_sid(db.schema_format_value("objectSid", res[0]["objectSid"][0]).decode())

db.transaction_start()
# the domain's password policy: anything goes, nothing expires, three strikes
msg = ldb.Message(ldb.Dn(db, base))
for attr, value in (("minPwdLength", "1"), ("pwdProperties", "0"), ("pwdHistoryLength", "0"),
                    ("minPwdAge", "0"), ("maxPwdAge", str(-0x7fffffffffffffff - 1)), ("lockoutThreshold", "3"),
                    ("lockoutDuration", str(-3600 * 10**7)), ("lockOutObservationWindow", str(-3600 * 10**7))):
    msg[attr] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attr)
db.modify(msg)
db.transaction_commit()

db.transaction_start()
users = ["alice", "bob", "changer", "carol", "nopreauth", "expired", "locked", "lockout", "mustchange", "sensitive",
         "protected", "bigpac", "jörg", "u-rc4", "u-aes128", "u-aes256", "pkuser"]
for user in users: db.newuser(user, user + "-pw")
modify("carol", userPrincipalName="carol@corp.example")        # for enterprise names
# what samba_spnupdate would add once the DC runs
dc = [f"ldap/dc1.{dom}", f"ldap/dc1.{dom}/{dom}", "ldap/dc1", f"GC/dc1.{dom}/{dom}"]
have = db.search(base, expression="(sAMAccountName=DC1$)", attrs=["servicePrincipalName"])[0].get("servicePrincipalName", [])
modify("DC1$", servicePrincipalName=sorted({*dc, *(str(s) for s in have)}))
uac("nopreauth", dsdb.UF_DONT_REQUIRE_PREAUTH)
uac("krbtgt", dsdb.UF_DONT_REQUIRE_PREAUTH)                    # or Samba's KDC ignores the user's flag
uac("locked", dsdb.UF_ACCOUNTDISABLE)
uac("sensitive", dsdb.UF_NOT_DELEGATED)
modify("expired", accountExpires="132223104000000000")         # 2020-01-01
modify("mustchange", pwdLastSet="0")
db.add_remove_group_members("Protected Users", ["protected"], add_members_operation=True)
for name in ("engineers", "leads"): db.newgroup(name)
db.add_remove_group_members("engineers", ["alice", "leads"], add_members_operation=True)
db.add_remove_group_members("leads", ["bob"], add_members_operation=True)
for i in range(groups):
    db.newgroup(f"many{i:03}")
    db.add_remove_group_members(f"many{i:03}", ["bigpac"], add_members_operation=True)
for user, kinds in (("u-rc4", 4), ("u-aes128", 8), ("u-aes256", 16)):
    modify(user, msDS_SupportedEncryptionTypes=str(kinds))

# services: one account each, with its SPNs; but HTTP and cifs are aliases of host in AD
# (sPNMappings), and Samba refuses to give those to an account other than host's
services = "host ldap postgres imap smtp pop mariadb echo svc1 svc2 svc3 front rc4 aes128".split()
spns = {svc: [svc] for svc in services} | {"host": ["host", "HTTP", "cifs"]}
for svc in services:
    account = "svc-" + svc.lower()
    db.newuser(account, account + "-pw")
    modify(account, servicePrincipalName=[f"{s}/{h}" for s in spns[svc] for h in ("localhost", f"svc.{dom}")],
           msDS_SupportedEncryptionTypes={"rc4": "4", "aes128": "8"}.get(svc, "28"))
    uac(account, dsdb.UF_DONT_EXPIRE_PASSWD)
# the password again, now that the enctypes are known
for account in ["u-rc4", "u-aes128", "u-aes256"]: db.setpassword(f"(sAMAccountName={account})", account + "-pw")
for svc in services: db.setpassword(f"(sAMAccountName=svc-{svc.lower()})", f"svc-{svc.lower()}-pw")
db.newcomputer("web1")                                          # salt AD.TESThostweb1.ad.test
db.setpassword("(sAMAccountName=web1$)", "web1-pw")
uac("svc-front", dsdb.UF_TRUSTED_FOR_DELEGATION)                # unconstrained: ok-as-delegate
uac("svc-host", dsdb.UF_TRUSTED_FOR_DELEGATION)
uac("svc-svc1", dsdb.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION) # protocol transition
modify("svc-svc1", msDS_AllowedToDelegateTo=["svc2/localhost", "echo/localhost"])
modify("svc-echo", msDS_AllowedToDelegateTo=["svc2/localhost"]) # Kerberos only
sd = security.descriptor.from_sddl(f"O:BAD:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;{sid('svc-svc2')})", security.dom_sid())
modify("svc-svc3", msDS_AllowedToActOnBehalfOfOtherIdentity=ndr_pack(sd))  # RBCD: svc2 -> svc3
db.transaction_commit()

net = Net(creds, lp)
def export(keytab, *principals):
    for p in principals: net.export_keytab(keytab=os.path.join(keytabs, keytab), principal=p)
for svc in sum(spns.values(), []):
    for host in ("localhost", f"svc.{dom}"):
        export(f"{svc}.keytab", f"{svc}/{host}")
        export("all.keytab", f"{svc}/{host}")
export("users.keytab", "alice", "bob", "svc-svc1", "svc-svc2", "svc-echo", "svc-host", "web1$")
export("krbtgt.keytab", f"krbtgt/{realm}")                       # lets tests look into TGTs

/** The rows of PKINIT: certificates of the lab, made by OpenSSL; FAST with the ticket of nobody in particular. */
import { join } from 'node:path'
import { asExchange, encryptedChallenge, parsePrincipal } from 'kerb/krb5'
import type { Kerberos } from 'kerb/node'
import { pkinitPreauth } from 'kerb/pkinit'
import { configOfRealm } from 'kerb/store'
import { lab, scratch } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { type Cell, none, type Row } from './cells.ts'
import { bought, client, expectTrace } from './ours.ts'
import { cell } from './preauthtable.ts'
import { type OurRealm, theirLogin, theirs, tools } from './theirs.ts'

const file = ({ dir }: Pick<Kdc, 'dir'>, name: string) => join(dir, 'pki', name)
const pair = (kdc: Pick<Kdc, 'dir'>, name: string) => `FILE:${file(kdc, `${name}.pem`)},${file(kdc, `${name}.key`)}`
const own = (kdc: Kdc, { config }: Kerberos) => configOfRealm(config, kdc.realm)

/** Our login with what `identity` names. */
const certified = (identity: (kdc: Kdc) => string): Cell<Kdc> =>
  cell('PKINIT', 'pkuser', async (kdc, kerberos) => ({
    preauth: [await pkinitPreauth({ config: own(kdc, kerberos), identity: identity(kdc), password: () => 'lab' })],
  }))
const rsa = certified((kdc) => pair(kdc, 'pkuser'))
const ec = certified((kdc) => pair(kdc, 'pkuser-ec'))
const packed = certified((kdc) => `PKCS12:${file(kdc, 'pkuser.p12')}`)

/** The ticket of nobody in particular (RFC 8062). */
async function anonymous(kdc: Kdc, kerberos: Kerberos) {
  const request = {
    client: parsePrincipal('WELLKNOWN/ANONYMOUS', { realm: kdc.realm }),
    preauth: [await pkinitPreauth({ config: own(kdc, kerberos), anonymous: true })],
    lifetime: 3600,
  }
  const { credential } = await kerberos.run(asExchange(request, kerberos.env))
  return credential
}

async function nobody(kdc: Kdc): Promise<void> {
  const { kerberos, events } = client(kdc)
  await bought(kerberos, await anonymous(kdc, kerberos))
  expectTrace(events, [{ kind: 'preauth', mechanism: 'anonymous PKINIT' }])
}

const armoredByNobody: Cell<Kdc> = cell('encrypted challenge', 'alice', async (kdc, kerberos) => ({
  armor: { ticket: await anonymous(kdc, kerberos) },
  preauth: [encryptedChallenge],
  password: 'alice-pw',
}))

/** What their clients must believe of certificates; Heimdal rates group 14 below its 2048 bits, and takes group 2 first. */
const believing = ({ client }: OurRealm) => {
  const lines = {
    pkinit_anchors: `FILE:${file(lab.mit, 'ca.pem')}`,
    pkinit_dh_min_bits: client === 'mit' ? 2048 : 1500,
  }
  const text = Object.entries(lines).map(([name, value]) => `  ${name} = ${value}\n`)
  return {
    config: lines,
    change: (config: string) => `${config}\n[appdefaults]\n${text.join('')}`,
    password: false,
  }
}

/** Their kinit with a certificate of the lab's. */
const theirCertificate =
  (identity: () => string): Cell<OurRealm> =>
  async (our) => {
    const args = our.client === 'mit' ? ['-X', `X509_user_identity=${identity()}`] : [`--pk-user=${identity()}`]
    const trace = [/PA-PK-AS-REQ \(16\)|PA-DATA type: 16\b|PKINIT|pk-?init/i]
    await theirs(our, 'pkuser', { ...believing(our), args, trace })
  }

/** Their kinit for nobody in particular. */
async function theirNobody(our: OurRealm): Promise<void> {
  await theirs(our, `@${our.realm.name}`, { ...believing(our), args: tools[our.client].anonymous })
}

/** MIT's kinit through FAST, with the ticket of nobody in particular. */
async function theirArmor(our: OurRealm): Promise<void> {
  const armor = join(scratch(), 'armor')
  const args = [...tools[our.client].anonymous, '-c', armor]
  await theirLogin(our, `@${our.realm.name}`, { ...believing(our), args })
  await theirs(our, 'alice', { args: ['-T', armor], trace: [/FAST armor/, /PA-ENCRYPTED-CHALLENGE \(138\)/] })
}

export const pkinitRows: readonly Row[] = [
  {
    mechanism: 'PKINIT, RSA certificate, Diffie-Hellman',
    source: 'RFC 4556',
    mit: rsa,
    heimdal: rsa,
    samba: rsa,
    fromMit: theirCertificate(() => pair(lab.mit, 'pkuser')),
    fromHeimdal: theirCertificate(() => pair(lab.mit, 'pkuser')),
  },
  {
    mechanism: 'PKINIT, P-256 certificate, Diffie-Hellman',
    source: 'RFC 5349 §3',
    mit: ec,
    heimdal: none.curvesHeimdal,
    samba: none.curvesHeimdal,
    fromMit: theirCertificate(() => pair(lab.mit, 'pkuser-ec')),
    fromHeimdal: none.curvesHeimdal,
  },
  {
    mechanism: 'PKINIT, P-256 certificate, ECDH on P-256',
    source: 'RFC 5349 §4',
    mit: none.ecdhMit,
    heimdal: none.curvesHeimdal,
    samba: none.curvesHeimdal,
    fromMit: none.ecdhMit,
    fromHeimdal: none.curvesHeimdal,
  },
  {
    mechanism: 'PKINIT, PKCS#12 file',
    source: 'RFC 7292',
    mit: packed,
    heimdal: packed,
    samba: packed,
    fromMit: none.sameAtKdc,
    fromHeimdal: none.sameAtKdc,
  },
  {
    mechanism: 'Anonymous PKINIT',
    source: 'RFC 8062',
    mit: nobody,
    heimdal: nobody,
    samba: none.anonymousSamba,
    fromMit: theirNobody,
    fromHeimdal: theirNobody,
  },
  {
    mechanism: 'FAST by an anonymous ticket, encrypted challenge',
    source: 'RFC 6113 §5.4.1',
    mit: armoredByNobody,
    heimdal: armoredByNobody,
    samba: none.anonymousSamba,
    fromMit: theirArmor,
    fromHeimdal: none.fastHeimdal,
  },
]

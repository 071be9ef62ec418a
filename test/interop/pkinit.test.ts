/** PKINIT with MIT's and Heimdal's and Samba's KDCs, and with MIT's and Heimdal's kinit: certificates are made by OpenSSL. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createKdc, MemoryDatabase } from 'kerb/kdc'
import { asExchange, parsePrincipal, passwordSecret, type TraceEvent, tgsExchange } from 'kerb/krb5'
import { listen, nodeEnv } from 'kerb/node'
import {
  certificatesFromPem,
  type KeyAgreement,
  pemIdentity,
  pkcs12Identity,
  pkinitGroups,
  pkinitKdc,
  pkinitPreauth,
} from 'kerb/pkinit'
import { configOfRealm } from 'kerb/store'
import { beforeAll, describe, expect, test } from 'vitest'
import { heimdalProgram, lab, peer, run, scratch } from '../lab/index.ts'
import type { Kdc } from '../lab/start.ts'
import { kerberosOf } from '../support/contexts.ts'
import { withLibdefaults } from './matrix/ours.ts'

const pki = (kdc: Kdc, name: string) => join(kdc.dir, 'pki', name)
const files = (kdc: Kdc, name: string) => `FILE:${pki(kdc, `${name}.pem`)},${pki(kdc, `${name}.key`)}`

interface Options {
  readonly user?: string
  readonly anonymous?: boolean
  readonly config?: Readonly<Record<string, string | number>>
  readonly password?: string
  readonly service?: string
}

/** Logs in at `kdc` with the certificate that `identity` names, and buys a ticket. */
async function ours(kdc: Kdc, identity: string | undefined, options: Options = {}) {
  const { user = 'pkuser', anonymous = false, config = {}, password = 'lab', service = 'host/localhost' } = options
  const events: TraceEvent[] = []
  const kerberos = kerberosOf(withLibdefaults(kdc.env, config), { trace: (event) => events.push(event) })
  const realm = kerberos.config.defaultRealm
  const own = configOfRealm(kerberos.config, realm)
  const preauth = [await pkinitPreauth({ config: own, identity, anonymous, password: () => password })]
  const login = await kerberos.login(user, { preauth })
  const wanted = parsePrincipal(service, { realm })
  const { credential } = await kerberos.run(tgsExchange({ tgt: login.ticket, service: wanted }, kerberos.env))
  expect(credential.server.components).toEqual(wanted.components)
  return { login, events }
}

peer('mit', "our client at MIT's KDC", () => {
  test.each(['pkuser', 'pkuser-ec', 'pkuser-upn'])('%s logs in', async (name) => {
    const { events } = await ours(lab.mit, files(lab.mit, name))
    expect(events).toContainEqual(expect.objectContaining({ kind: 'preauth', mechanism: 'PKINIT' }))
  })

  test('with a PKCS#12 file', async () => {
    await ours(lab.mit, `PKCS12:${pki(lab.mit, 'pkuser.p12')}`)
  })

  test('in group 16', async () => {
    await ours(lab.mit, files(lab.mit, 'pkuser'), { config: { pkinit_dh_min_bits: 4096 } })
  })

  describe('pkinit_cert_match chooses in a folder as it does for MIT', () => {
    const folder = scratch()
    beforeAll(() => {
      for (const name of ['pkuser', 'alice', 'pkuser-upn', 'pkuser-noeku']) {
        copyFileSync(pki(lab.mit, `${name}.pem`), join(folder, `${name}.crt`))
        copyFileSync(pki(lab.mit, `${name}.key`), join(folder, `${name}.key`))
      }
    })

    test.each([
      ['<SUBJECT>^O=lab,CN=pkuser$', true],
      ['<SUBJECT>^CN=pkuser,O=lab$', false],
      ['<SUBJECT>cn=pkuser$', false],
      ['<SUBJECT>O=lab', false],
      ['<SAN>^pkuser@LAB.TEST$', false],
      ['<SAN>^pkuser@LAB.TEST$<EKU>pkinit', false],
      ['||<SUBJECT>nobody<SUBJECT>CN=pkuser$', true],
      ['&&<SUBJECT>CN=pkuser$<EKU>pkinit', true],
      ['<EKU>pkinit', false],
      ['<EKU>pkinit,clientAuth<SUBJECT>CN=pkuser$', false],
      ['<KU>digitalSignature<SUBJECT>CN=pkuser$', true],
      ['<ISSUER>^O=lab,CN=lab ca$<SUBJECT>CN=pkuser$', true],
      ['<NONE>x', false],
      [' && <SUBJECT>CN=pkuser$', false],
    ])('%s: %s', async (rule, logsIn) => {
      const config = { pkinit_cert_match: rule }
      const env = withLibdefaults(lab.mit.env, config)
      const theirs = await run('kinit', ['-X', `X509_user_identity=DIR:${folder}`, 'pkuser'], { env, input: 'no\n' })
      const own = await ours(lab.mit, `DIR:${folder}`, { config }).then(
        () => true,
        (error: Error) => {
          expect(['KrbError', 'ConfigError']).toContain(error.name)
          return false
        },
      )
      expect([theirs.code === 0, own]).toEqual([logsIn, logsIn])
    })
  })

  test.each([
    ['pkuser-noeku', 'KDC_ERR_INCONSISTENT_KEY_PURPOSE'],
    ['pkuser-expired', 'KDC_ERR_INVALID_CERTIFICATE'],
    ['rogue-pkuser', 'KDC_ERR_CANT_VERIFY_CERTIFICATE'],
    ['alice', 'KDC_ERR_CLIENT_NAME_MISMATCH'],
  ])('%s is refused with %s', async (name, code) => {
    await expect(ours(lab.mit, files(lab.mit, name))).rejects.toMatchObject({ code, origin: 'peer' })
  })

  test('anonymously', async () => {
    const { login } = await ours(lab.mit, undefined, { user: 'WELLKNOWN/ANONYMOUS', anonymous: true })
    expect(login.principal.realm).toBe('WELLKNOWN:ANONYMOUS')
    expect(login.ticket.flags.has('anonymous')).toBe(true)
  })

  test.each(['alice', 'pkuser'])('%s logs in under the armor of an anonymous ticket', async (user) => {
    const { login } = await ours(lab.mit, undefined, { user: 'WELLKNOWN/ANONYMOUS', anonymous: true })
    const kerberos = kerberosOf(lab.mit.env)
    const client = parsePrincipal(user, { realm: 'LAB.TEST' })
    const config = configOfRealm(kerberos.config, 'LAB.TEST')
    const own = user === 'pkuser' && {
      preauth: [await pkinitPreauth({ config, identity: files(lab.mit, 'pkuser') })],
      secret: undefined,
    }
    const request = { client, secret: passwordSecret(client, `${user}-pw`), lifetime: 600, ...own }
    const armor = { ticket: login.ticket, clockOffset: login.clockOffset }
    expect(await kerberos.run(asExchange({ ...request, armor }, kerberos.env))).toMatchObject({ armored: true })
  })

  test('refuses its certificate for want of an authority that we trust', async () => {
    const config = { pkinit_anchors: `FILE:${pki(lab.mit, 'rogue-ca.pem')}` }
    await expect(ours(lab.mit, files(lab.mit, 'pkuser'), { config })).rejects.toMatchObject({
      code: 'KDC_ERR_KDC_NOT_TRUSTED',
      origin: 'local',
    })
  })
})

peer('heimdal', "our client at Heimdal's KDC", () => {
  test.each(['pkuser', 'alice'])('%s logs in', async (name) => {
    await ours(lab.heimdal, files(lab.heimdal, name), { user: name })
  })

  test('anonymously', async () => {
    const { login } = await ours(lab.heimdal, undefined, { user: 'WELLKNOWN/ANONYMOUS', anonymous: true })
    expect(login.principal.realm).toBe('WELLKNOWN:ANONYMOUS')
  })
})

peer('samba', "our client at Samba's KDC", () => {
  test('logs in by UPN', async () => {
    await ours(lab.samba, files(lab.samba, 'pkuser'), { service: 'host/dc1.ad.test' })
  })
})

/** A KDC of ours with the lab's certificates, and a krb5.conf for their clients. */
async function startOurs(from: Kdc, realm: string, options: Partial<Parameters<typeof pkinitKdc>[0]> = {}) {
  const env = nodeEnv(kerberosOf(from.env).config)
  const database = new MemoryDatabase(realm, env.random)
  database.add('pkuser', { requiresPreauth: true })
  database.add('WELLKNOWN/ANONYMOUS', { requiresPreauth: true })
  database.add('host/localhost')
  const identity = await pemIdentity({
    certificate: readFileSync(pki(from, 'kdc.pem')),
    key: readFileSync(pki(from, 'kdc.key')),
  })
  const trust = { anchors: certificatesFromPem(readFileSync(pki(from, 'ca.pem'))) }
  const kdc = createKdc({
    realm,
    database,
    env,
    preauth: [pkinitKdc({ identity, trust, anonymous: true, ...options })],
  })
  const listening = await listen(kdc.respond, { tooBig: kdc.tooBig })
  const folder = scratch()
  const config = join(folder, 'krb5.conf')
  // Heimdal would begin with group 2, and rates group 14 below its 2048 bits
  const minBits = realm === 'LAB.TEST' ? 2048 : 1500
  const address = `127.0.0.1:${listening.port}`
  writeFileSync(
    config,
    `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  pkinit_dh_min_bits = ${minBits}
  pkinit_anchors = FILE:${pki(from, 'ca.pem')}
[appdefaults]
  pkinit_dh_min_bits = ${minBits}
  pkinit_anchors = FILE:${pki(from, 'ca.pem')}
[realms]
  ${realm} = {
    kdc = ${address}
    pkinit_kdc_hostname = localhost
  }
`,
  )
  const own = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${join(folder, 'cc')}`, KRB5_TRACE: join(folder, 'trace') }
  return { env: own, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() }
}

peer('mit', "MIT's kinit at our KDC", () => {
  const mit = (realm: { env: Record<string, string> }, ...args: string[]) => run('kinit', args, { env: realm.env })
  const withIdentity = (identity: string) => ['-X', `X509_user_identity=${identity}`, 'pkuser']

  test.each(['pkuser', 'pkuser-ec', 'pkuser-upn'])('%s logs in', async (name) => {
    await using realm = await startOurs(lab.mit, 'LAB.TEST')
    expect(await mit(realm, ...withIdentity(files(lab.mit, name)))).toMatchObject({ code: 0, stderr: '' })
    expect(await run('kvno', ['host/localhost@LAB.TEST'], { env: realm.env })).toMatchObject({ code: 0 })
  })

  test('in group 16, as our KDC takes no other', async () => {
    const groups = pkinitGroups.filter(({ name }) => name === 'group 16')
    await using realm = await startOurs(lab.mit, 'LAB.TEST', { groups })
    expect(await mit(realm, ...withIdentity(files(lab.mit, 'pkuser')))).toMatchObject({ code: 0, stderr: '' })
    expect(readFileSync(realm.env.KRB5_TRACE, 'utf8')).toMatch(/trying again with|Diffie-Hellman|DH/i)
  })

  test('with a freshness token, which our KDC requires', async () => {
    await using realm = await startOurs(lab.mit, 'LAB.TEST', { requireFreshness: true })
    expect(await mit(realm, ...withIdentity(files(lab.mit, 'pkuser')))).toMatchObject({ code: 0, stderr: '' })
    expect(readFileSync(realm.env.KRB5_TRACE, 'utf8')).toMatch(/freshness/i)
  })

  test.each(['pkuser-noeku', 'pkuser-expired', 'rogue-pkuser', 'alice'])('%s is refused', async (name) => {
    await using realm = await startOurs(lab.mit, 'LAB.TEST')
    expect((await mit(realm, ...withIdentity(files(lab.mit, name)))).code).not.toBe(0)
  })

  test('kinit -n', async () => {
    await using realm = await startOurs(lab.mit, 'LAB.TEST')
    expect(await mit(realm, '-n')).toMatchObject({ code: 0, stderr: '' })
    expect((await run('klist', [], { env: realm.env })).stdout).toContain('WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS')
  })
})

/** The group, with a first key pair that gives such a secret with the client's. */
function unlucky(group: KeyAgreement): KeyAgreement {
  let first = true
  return {
    ...group,
    begin(random) {
      let key = group.begin(random)
      if (!first) return key
      first = false
      return {
        get publicKey() {
          return key.publicKey
        },
        agree(peer) {
          for (;;) {
            const secret = key.agree(peer)
            if (secret[0] === 0) return secret
            key = group.begin(random)
          }
        },
        [Symbol.dispose]: () => key[Symbol.dispose](),
      }
    },
  }
}

peer('heimdal', "Heimdal's kinit at our KDC", () => {
  const heimdal = (realm: { env: Record<string, string> }, ...args: string[]) =>
    run(heimdalProgram('kinit'), args, { env: realm.env })

  test.each(['pkuser'])('%s logs in', async (name) => {
    await using realm = await startOurs(lab.heimdal, 'H5L.TEST')
    const args = [`--pk-user=${files(lab.heimdal, name)}`, 'pkuser']
    expect(await heimdal(realm, ...args)).toMatchObject({ code: 0, stderr: '' })
  })

  test('never has to make a key of a secret that begins with a zero octet, as it makes another', async () => {
    await using realm = await startOurs(lab.heimdal, 'H5L.TEST', { groups: [unlucky(pkinitGroups[0]!)] })
    const args = [`--pk-user=${files(lab.heimdal, 'pkuser')}`, 'pkuser']
    expect(await heimdal(realm, ...args)).toMatchObject({ code: 0, stderr: '' })
  })

  test('kinit -n', async () => {
    await using realm = await startOurs(lab.heimdal, 'H5L.TEST')
    expect(await heimdal(realm, '--anonymous', '@H5L.TEST')).toMatchObject({ code: 0, stderr: '' })
  })
})

peer('mit', 'the files that OpenSSL wrote', () => {
  const text = (name: string) => readFileSync(pki(lab.mit, name), 'utf8')

  describe.each(['pkuser', 'pkuser-ec'])('of %s', (name) => {
    const openssl = async (...args: string[]) => {
      const { code, stdout } = await run('openssl', args)
      expect(code).toBe(0)
      return stdout
    }
    const key = () => pki(lab.mit, `${name}.key`)

    test.each([
      ['PKCS#8', () => openssl('pkcs8', '-topk8', '-nocrypt', '-in', key())],
      ['PKCS#1 or SEC1', () => openssl('pkey', '-traditional', '-in', key())],
      [
        'encrypted PKCS#8',
        () => openssl('pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'pass:lab', '-in', key()),
      ],
    ])('hold a key as %s', async (_, write) => {
      const identity = await pemIdentity({ certificate: text(`${name}.pem`), key: await write(), password: 'lab' })
      expect(identity.certificate.length).toBeGreaterThan(0)
    })

    test('hold a key that is encrypted, and not for this password', async () => {
      const key = await openssl('pkcs8', '-topk8', '-passout', 'pass:lab', '-in', pki(lab.mit, `${name}.key`))
      const opened = (password?: string) => pemIdentity({ certificate: text(`${name}.pem`), key, password })
      await expect(opened('other')).rejects.toMatchObject({ name: 'CmsError', fault: 'password' })
      await expect(opened()).rejects.toMatchObject({ name: 'CmsError', fault: 'password' })
    })

    test('hold a key that is encrypted in the old way, which is refused with the way out', async () => {
      const kind = name.endsWith('ec') ? 'ec' : 'rsa'
      const old = await openssl(
        kind,
        '-aes128',
        ...(kind === 'rsa' ? ['-traditional'] : []),
        '-passout',
        'pass:lab',
        '-in',
        key(),
      )
      await expect(pemIdentity({ certificate: text(`${name}.pem`), key: old })).rejects.toThrow(/openssl pkcs8 -topk8/)
    })
  })

  test('PKCS#12, new, old and damaged', async () => {
    const file = readFileSync(pki(lab.mit, 'pkuser.p12'))
    expect((await pkcs12Identity(file, 'lab')).certificate).toEqual(certificatesFromPem(text('pkuser.pem'))[0])
    await expect(pkcs12Identity(file, 'other')).rejects.toMatchObject({ fault: 'password' })
    for (let size = 0; size < file.length; size += 97)
      await expect(pkcs12Identity(file.subarray(0, size), 'lab')).rejects.toMatchObject({ name: 'CmsError' })
    const path = join(scratch(), 'old.p12')
    const args = [
      'pkcs12',
      '-export',
      '-legacy',
      '-in',
      pki(lab.mit, 'pkuser.pem'),
      '-inkey',
      pki(lab.mit, 'pkuser.key'),
    ]
    expect((await run('openssl', [...args, '-passout', 'pass:lab', '-out', path])).code).toBe(0)
    await expect(pkcs12Identity(readFileSync(path), 'lab')).rejects.toThrow(/openssl pkcs12 -legacy/)
  })

  test('a certificate that is not that of the key', async () => {
    await expect(pemIdentity({ certificate: text('pkuser.pem'), key: text('pkuser-ec.key') })).rejects.toMatchObject({
      fault: 'untrusted',
    })
  })
})

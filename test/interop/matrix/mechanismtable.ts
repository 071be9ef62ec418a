/** The mechanisms that the matrix tries, one row each. */
import { join } from 'node:path'
import { enctypeByName } from 'kerb/crypto'
import { asExchange, changePassword, encryptedTimestamp, passwordSecret, ticketAgain } from 'kerb/krb5'
import { Kerberos } from 'kerb/node'
import { expect } from 'vitest'
import { lab, run, smallUdpHeimdal, smallUdpMit } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { type Cell, done, none, type Row } from './cells.ts'
import { nameRows } from './namestable.ts'
import { bought, client, ours } from './ours.ts'
import { pkinitRows } from './pkinittable.ts'
import { preauthRows } from './preauthtable.ts'
import { behindTheirProxy, startOurProxy } from './proxies.ts'
import { type OurRealm, startOurRealm, succeeds, theirLogin, theirs, tools } from './theirs.ts'

const udpFirst = { udp_preference_limit: 32_700 }
const tcpFirst = { udp_preference_limit: 1 }
const timestamp = { kind: 'preauth', mechanism: 'encrypted timestamp' } as const

/** A second enctype, as KDCs expect everybody to speak this one. */
const also = (enctype: string) => ({ permitted_enctypes: `${enctype} aes256-cts-hmac-sha1-96` })

/**
 * A user whose only key is of this enctype, and a service of this session key: `short` is what the users of MIT and
 * Heimdal are called by, `ad` those of Samba, where the service has keys of several.
 */
function password(
  enctype: string,
  short: string,
  source: string,
  samba: { readonly ad: string } | string,
  heimdal?: string,
): Row {
  const trace = [{ kind: 'key', enctype }] as const
  const at: Cell<Kdc> = async (kdc) => {
    const { credential } = await ours(kdc, `u-${short}`, {
      config: also(enctype),
      trace,
      service: `e-${short}/localhost`,
    })
    expect(credential.key.enctype.name).toBe(enctype)
  }
  const from: Cell<OurRealm> = async (realm) => {
    const { env } = await theirs(realm, `u-${enctype}`, { config: also(enctype), service: `e-${enctype}/localhost` })
    const { stdout } = await run('klist', ['-e'], { env })
    const names = enctypeByName(enctype)!.aliases.concat(enctype).join('|')
    expect(stdout.slice(stdout.indexOf(' e-'))).toMatch(new RegExp(`skey, tkt\\): (DEPRECATED:)?(${names}), `))
  }
  return {
    mechanism: `Password, ${enctype}`,
    source,
    mit: at,
    heimdal: heimdal ?? at,
    samba:
      typeof samba === 'string'
        ? samba
        : (kdc) => done(ours(kdc, samba.ad, { config: { permitted_enctypes: enctype }, trace })),
    fromMit: from,
    fromHeimdal: heimdal ?? from,
  }
}

/** What works alike in all the pairs. */
function everywhere(
  mechanism: string,
  source: string,
  our: (kdc: Kdc) => Promise<unknown>,
  their: (realm: OurRealm) => Promise<unknown>,
): Row {
  const [at, from]: [Cell<Kdc>, Cell<OurRealm>] = [(kdc) => done(our(kdc)), (realm) => done(their(realm))]
  return { mechanism, source, mit: at, heimdal: at, samba: at, fromMit: from, fromHeimdal: from }
}

export const rows: readonly Row[] = [
  password('aes256-cts-hmac-sha1-96', 'aes256-sha1-96', 'RFC 3962', { ad: 'u-aes256' }),
  password('aes128-cts-hmac-sha1-96', 'aes128-sha1-96', 'RFC 3962', { ad: 'u-aes128' }),
  password('aes256-cts-hmac-sha384-192', 'aes256-sha384-192', 'RFC 8009', none.sha2Samba),
  password('aes128-cts-hmac-sha256-128', 'aes128-sha256-128', 'RFC 8009', none.sha2Samba),
  password('camellia256-cts-cmac', 'camellia256', 'RFC 6803', none.camelliaSamba, none.camelliaHeimdal),
  password('camellia128-cts-cmac', 'camellia128', 'RFC 6803', none.camelliaSamba, none.camelliaHeimdal),
  password('des3-cbc-sha1-kd', 'des3', 'RFC 3961', none.camelliaSamba),
  password('rc4-hmac', 'arcfour', 'RFC 4757', { ad: 'u-rc4' }),
  everywhere(
    'Keytab',
    'RFC 4120',
    (kdc) => ours(kdc, 'alice', { keytab: join(kdc.dir, 'keytabs/users.keytab') }),
    (realm) => theirs(realm, 'alice', { keytab: join(realm.folder, 'users.keytab') }),
  ),
  everywhere(
    'Encrypted timestamp',
    'RFC 4120 §5.2.7.2',
    (kdc) => ours(kdc, 'alice', { preauth: [encryptedTimestamp], trace: [timestamp] }),
    (realm) =>
      theirs(realm, 'alice', {
        change: (text) => `${text}\n[plugins]\n  clpreauth = {\n    disable = spake\n  }\n`,
        trace: [/PA-ENC-TIMESTAMP|using ENC-TS/],
      }),
  ),
  ...preauthRows,
  ...pkinitRows,
  ...nameRows,
  everywhere(
    'No pre-authentication',
    'RFC 4120 §3.1',
    (kdc) => ours(kdc, 'nopreauth'),
    (realm) => theirs(realm, 'nopreauth'),
  ),
  everywhere(
    'Renewal',
    'RFC 4120 §2.3',
    async (kdc) => {
      const { login, kerberos } = await ours(kdc, 'alice', { lifetime: 3600, renewLifetime: 86_400 })
      const { credential } = await kerberos.run(ticketAgain('renew', { tgt: login.ticket }, kerberos.env))
      expect(credential.flags.has('renewable')).toBe(true)
      await bought(kerberos, credential)
    },
    async (realm) => {
      const { env } = await theirs(realm, 'alice', { args: ['-r', '2d'] })
      const { kinit, renew, buy } = tools[realm.client]
      await succeeds(kinit, [renew], env)
      await succeeds(buy, [`host/localhost@${realm.realm.name}`], env)
    },
  ),
  {
    mechanism: 'Postdated ticket, valid from its time on',
    source: 'RFC 4120 §2.4',
    mit: postdated,
    heimdal: postdated,
    samba: none.postdatedSamba,
    fromMit: theirPostdated,
    fromHeimdal: theirPostdated,
  },
  everywhere(
    'Change of a password, and back',
    'RFC 3244',
    async (kdc) => {
      const { kerberos } = client(kdc)
      for (const [password, newPassword] of [
        ['changer-pw', 'changer-2'],
        ['changer-2', 'changer-pw'],
      ] as const) {
        const { ticket } = await kerberos.login('changer', { password, service: 'kadmin/changepw' })
        await kerberos.run(changePassword({ credential: ticket, newPassword }, kerberos.env))
      }
      await ours(kdc, 'changer')
    },
    async (realm) => {
      const { env } = await theirLogin(realm, 'changer')
      const { kpasswd } = tools[realm.client]
      for (const input of ['changer-pw\nchanger-2\nchanger-2\n', 'changer-2\nchanger-pw\nchanger-pw\n']) {
        const { code, stdout } = await run(kpasswd, ['changer'], { env, input })
        expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Password changed') })
      }
      await theirs(realm, 'changer')
    },
  ),
  {
    mechanism: 'Service in another realm',
    source: 'RFC 4120 §1.2',
    mit: (kdc) => done(ours(kdc, 'alice', { service: 'echo/svc.mid.test@MID.TEST' })),
    heimdal: (kdc) => done(ours(kdc, 'alice', { service: 'echo/svc.other.test@OTHER.TEST' })),
    samba: none.trustSamba,
    fromMit: none.trustOurs,
    fromHeimdal: none.trustOurs,
  },
  everywhere(
    'UDP',
    'RFC 4120 §7.2.1',
    (kdc) => ours(kdc, 'alice', { config: udpFirst, trace: [{ kind: 'error', kdc: '(UDP)' }] }),
    (realm) => theirs(realm, 'alice', { config: udpFirst, trace: [/Sending initial UDP request|to host: udp/] }),
  ),
  everywhere(
    'TCP',
    'RFC 4120 §7.2.2',
    (kdc) => ours(kdc, 'alice', { config: tcpFirst, trace: [{ kind: 'reply', message: 'AS-REP', kdc: '(TCP)' }] }),
    (realm) =>
      theirs(realm, 'alice', {
        config: tcpFirst,
        change: (text) => (realm.client === 'mit' ? text : text.replace('    kdc = ', '    kdc = tcp/')),
        trace: [/Initiating TCP connection|to host: tcp/],
      }),
  ),
  {
    mechanism: 'HTTPS proxy in front of the KDC',
    source: 'MS-KKDCP',
    mit: proxied,
    heimdal: proxied,
    samba: proxied,
    fromMit: theirProxied,
    fromHeimdal: none.proxyHeimdal,
  },
  everywhere(
    'Reply too big for UDP',
    'RFC 4120 §7.2.1',
    async (kdc) =>
      ours(await smallUdp(kdc), 'alice', {
        config: udpFirst,
        trace: [
          { kind: 'attempt-failed', kdc: '(UDP)', reason: 'KRB_ERR_RESPONSE_TOO_BIG' },
          { kind: 'reply', message: 'AS-REP', kdc: '(TCP)' },
        ],
      }),
    async ({ client }) => {
      const small = await startOurRealm({ maxDatagram: 400 })
      await using _ = small.realm
      await theirs({ ...small, client }, 'alice', {
        config: udpFirst,
        trace: [/too big for UDP; retrying with TCP|to host: udp[\s\S]*to host: tcp/],
      })
    },
  ),
]

/** Seconds until postdated tickets begin. */
const LATER = 3
/** Whole seconds are what tickets know, and the KDC's clock is the machine's. */
const begun = () => new Promise((resolve) => setTimeout(resolve, (LATER + 1) * 1000))

async function postdated(kdc: Kdc): Promise<void> {
  const { kerberos } = client(kdc)
  const startTime = Math.floor(Date.now() / 1000) + LATER
  const alice = kerberos.principal('alice')
  const request = { client: alice, secret: passwordSecret(alice, 'alice-pw'), lifetime: 3600, startTime }
  const { credential } = await kerberos.run(asExchange(request, kerberos.env))
  expect([...credential.flags]).toEqual(expect.arrayContaining(['postdated', 'invalid']))
  expect(credential.starttime).toBe(startTime)
  const validated = () => kerberos.run(ticketAgain('validate', { tgt: credential }, kerberos.env))
  await expect(validated()).rejects.toMatchObject({ code: 'KRB_AP_ERR_TKT_NYV', origin: 'peer' })
  await begun()
  const { credential: valid } = await validated()
  expect(valid.flags.has('invalid')).toBe(false)
  await bought(kerberos, valid)
}

async function theirPostdated(realm: OurRealm): Promise<void> {
  const { kinit, later, validate, buy } = tools[realm.client]
  const { env } = await theirLogin(realm, 'alice', { args: later(`${LATER}s`) })
  expect(await succeeds('klist', ['-f'], env)).toMatch(/Flags: \w*d\w*i/)
  expect((await run(kinit, [validate], { env })).code).not.toBe(0)
  await begun()
  await succeeds(kinit, [validate], env)
  await succeeds(buy, [`host/localhost@${realm.realm.name}`], env)
}

async function proxied(kdc: Kdc): Promise<void> {
  const { url, config } = await behindTheirProxy(kdc)
  const kerberos = new Kerberos({ config, environment: { configPaths: [] } })
  using login = await kerberos.login('alice', { password: 'alice-pw' })
  expect(login.kdc).toBe(url)
  await bought(kerberos, login.ticket)
}

async function theirProxied(our: OurRealm): Promise<void> {
  await using proxy = await startOurProxy(our.realm)
  await theirs(our, 'alice', { change: proxy.instead })
  expect(proxy.asked.length).toBeGreaterThanOrEqual(3)
}

/** A KDC of the same kind whose datagrams hold little; Samba's hold little anyway. */
function smallUdp(kdc: Kdc): Promise<Kdc> | Kdc {
  if (kdc === lab.samba) return kdc
  return kdc === lab.mit ? smallUdpMit() : smallUdpHeimdal()
}

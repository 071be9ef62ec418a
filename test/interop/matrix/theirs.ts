/** MIT's and Heimdal's clients at our KDC. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deprecatedEnctypes, enctypes } from 'kerb/crypto'
import { encryptedChallengeKdc, encryptedTimestampKdc, otpKdc, spakeKdc } from 'kerb/krb5'
import { type Realm, type RealmOptions, startRealm } from 'kerb/node'
import { certificatesFromPem, pemIdentity, pkinitKdc } from 'kerb/pkinit'
import { expect } from 'vitest'
import { heimdalProgram, lab, run, scratch } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { withLibdefaults } from './ours.ts'

/** A realm of ours, and the client that is tried at it. */
export interface OurRealm {
  readonly realm: Realm
  readonly client: 'mit' | 'heimdal'
  /** The folder of the realm: `krb5.conf`, `users.keytab`. */
  readonly folder: string
}

const all = [...enctypes, ...deprecatedEnctypes]

/** A realm for the rows to try. */
export async function startOurRealm(options: RealmOptions = {}): Promise<Omit<OurRealm, 'client'>> {
  const folder = scratch()
  const pem = (name: string) => readFileSync(join(lab.mit.dir, 'pki', name))
  const identity = await pemIdentity({ certificate: pem('kdc.pem'), key: pem('kdc.key') })
  const each = all.map((enctype) => [`u-${enctype.name}`, { password: `u-${enctype.name}-pw`, enctypes: [enctype] }])
  const realm = await startRealm({
    ...options,
    realm: 'LAB.TEST', // for which the lab has certificates
    env: { enctypes: all },
    preauth: [
      pkinitKdc({ identity, trust: { anchors: certificatesFromPem(pem('ca.pem')) }, anonymous: true }),
      otpKdc({
        tokens: ({ components }) => (components[0] === 'otpuser' ? [{ flags: new Set() }] : undefined),
        verify: (_, value) => value === '123456',
      }),
      encryptedChallengeKdc,
      spakeKdc(),
      encryptedTimestampKdc,
    ],
    users: {
      alice: { password: 'alice-pw', aliases: ['alicealias'] },
      bob: 'bob-pw',
      carol: { password: 'carol-pw', aliases: ['carol\\@corp.example'] },
      changer: 'changer-pw',
      otpuser: { requiresPreauth: true },
      pkuser: { requiresPreauth: true },
      'WELLKNOWN/ANONYMOUS': { requiresPreauth: true },
      nopreauth: { password: 'nopreauth-pw', requiresPreauth: false },
      ...Object.fromEntries(each),
    },
    services: {
      'host/localhost': { enctypes: all },
      ...Object.fromEntries(all.map((enctype) => [`e-${enctype.name}/localhost`, { enctypes: [enctype] }])),
    },
  })
  writeFileSync(join(folder, 'krb5.conf'), realm.configText)
  writeFileSync(join(folder, 'users.keytab'), realm.keytab('alice', ...each.map(([name]) => String(name))))
  return { realm, folder }
}

/** How their kinit is called, and what must have happened. */
export interface TheirLogin {
  /** Arguments before the user's name. */
  readonly args?: readonly string[]
  readonly keytab?: string
  /** False for a login without one, by other means. */
  readonly password?: boolean
  /** What is typed in place of the user's name and `-pw`. */
  readonly input?: string | undefined
  readonly config?: Readonly<Record<string, string | number>>
  /** A further change to krb5.conf. */
  readonly change?: (text: string) => string
  /** What a ticket is bought for; host/localhost unless said. */
  readonly service?: string
  /** What the client's trace must hold. */
  readonly trace?: readonly (string | RegExp)[]
}

/** Their programs, and how they want to be called. */
export const tools = {
  mit: {
    kinit: 'kinit',
    buy: 'kvno',
    kpasswd: 'kpasswd',
    password: [],
    renew: '-R',
    validate: '-v',
    later: (time: string) => ['-s', time],
    canonicalize: ['-C'],
    enterprise: ['-E'],
    anonymous: ['-n'],
  },
  heimdal: {
    kinit: heimdalProgram('kinit'),
    buy: heimdalProgram('kgetcred'),
    kpasswd: heimdalProgram('kpasswd'),
    password: ['--password-file=STDIN'],
    renew: '--renew',
    validate: '--validate',
    later: (time: string) => [`--start-time=${time}`],
    canonicalize: ['--canonicalize'],
    enterprise: ['--enterprise'],
    anonymous: ['--anonymous'],
  },
} as const

/** Logs `user` in with their kinit, and buys a ticket for `service`; gives the environment it is in. */
export async function theirs(our: OurRealm, user: string, options: TheirLogin = {}) {
  const { service = 'host/localhost', trace = [] } = options
  const { env, said } = await theirLogin(our, user, options)
  await succeeds(tools[our.client].buy, [`${service}@${our.realm.name}`], env)
  for (const text of trace) expect(said()).toMatch(text)
  return { env }
}

/** Logs `user` in with their kinit, and no more; gives the environment it is in, and what the trace says. */
export async function theirLogin({ client, folder }: OurRealm, user: string, options: TheirLogin = {}) {
  const { args = [], keytab, config = {}, change = (text: string) => text, input = `${user}-pw\n` } = options
  const base = { KRB5_CONFIG: join(folder, 'krb5.conf') }
  const env = withLibdefaults(base, { allow_weak_crypto: 'true', allow_rc4: 'true', allow_des3: 'true', ...config })
  const trace = join(scratch(), 'trace')
  const text = change(readFileSync(env['KRB5_CONFIG']!, 'utf8'))
  writeFileSync(env['KRB5_CONFIG']!, `${text}\n[logging]\n  krb5 = 0-9/FILE:${trace}\n`)
  const { kinit, password } = tools[client]
  const secret = keytab ? ['-k', '-t', keytab] : options.password === false ? [] : password
  const traced = { ...env, KRB5_TRACE: trace }
  await succeeds(kinit, [...secret, ...args, user], traced, input)
  return { env: traced, said: () => readFileSync(trace, 'utf8') }
}

/** Runs a program that is to say nothing of an error; gives its output. */
export async function succeeds(program: string, args: readonly string[], env: Kdc['env'], input = ''): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { env, input })
  expect({ code, stderr }, `${program} ${args.join(' ')}: ${stdout}`).toEqual({ code: 0, stderr: '' })
  return stdout
}

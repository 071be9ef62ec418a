/** IAKERB on a hostile way (draft-ietf-kitten-iakerb-03 §3, §4): every octet flipped, every length cut, and tokens of others. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../../src/bytes/index.ts'
import { enctypes } from '../../../src/crypto/enctypes/table.ts'
import type { Key } from '../../../src/crypto/key.ts'
import type { World } from '../../../src/effects/index.ts'
import { bind, type Credentials, type GssFlag, Name, SecurityContext } from '../../../src/gss/index.ts'
import { iakerbMechanism } from '../../../src/gss/krb5/iakerb.ts'
import { IakerbCredential } from '../../../src/gss/krb5/iakerbcredential.ts'
import { makeProxyToken, type ProxyToken, readProxyToken } from '../../../src/gss/krb5/iakerbtokens.ts'
import { TransportError } from '../../../src/krb5/errors.ts'
import type { KrbQuestions } from '../../../src/krb5/questions.ts'
import { keysSecret } from '../../../src/krb5/secret.ts'
import type { Kerberos } from '../../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../../src/node/realm.ts'
import { parseKeytab } from '../../../src/store/keytab.ts'
import { again, expectAgreed, Handshake, type Sides } from '../../support/handshake.ts'
import { mutations } from '../../support/mutations.ts'

const name = Name.principal('HTTP/localhost@LAB.TEST')
const flags: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']

let realm: Realm
let kerberos: Kerberos
let service: Credentials
let keys: readonly Key[]
/** What the KDC answered to each message, so that the same handshake is the same again. */
const answers = new Map<string, { readonly message: Uint8Array; readonly kdc: string }>()
let recording = true

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost', 'host/robot'] })
  kerberos = realm.kerberos()
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  keys = parseKeytab(realm.keytab('host/robot')).entries.map(({ key }) => key.key(enctypes)!)
})
afterAll(() => realm[Symbol.asyncDispose]())

async function send(asked: KrbQuestions['send']['ask']): Promise<KrbQuestions['send']['answer']> {
  const known = answers.get(toHex(asked.message))
  if (known) return known
  // A message that nobody sent has no answer: that of the KDC would be another one every time.
  if (!recording) throw new TransportError(asked.realm, [])
  const answer = await kerberos.world.send(asked)
  answers.set(toHex(asked.message), answer)
  return answer
}

function start(seed = 1): Sides {
  const world: World<KrbQuestions> = { ...kerberos.world, replay: () => false, send }
  const client = kerberos.principal('host/robot')
  const mech = (own: number) =>
    bind(iakerbMechanism(again(kerberos.env, own)), own < 0 ? world : { ...world, send: () => expect.unreachable() })
  return [
    new SecurityContext({
      usage: 'initiate',
      name,
      creds: IakerbCredential.credentials(client, keysSecret(client, keys)),
      mech: mech(seed),
      flags,
    }),
    new SecurityContext({ usage: 'accept', creds: service, mech: mech(-seed) }),
  ]
}

/** Records the handshake, after which the KDC says nothing new. */
async function recorded(seed = 1): Promise<Handshake> {
  recording = true
  try {
    return await Handshake.of(() => start(seed))
  } finally {
    recording = false
  }
}

test('a login and a ticket by IAKERB end at any token with an octet flipped or missing, unless nothing hangs on it', async () => {
  const handshake = await recorded()
  expect(handshake.tokens).toHaveLength(6) // AS and TGS exchange, AP-REQ and AP-REP
  const carried = handshake.tokens.filter((token) => readProxyToken(token)).length
  for (const [index, token] of handshake.tokens.entries())
    for (const { what, octets } of mutations(token, { salt: index, stride: 16 })) {
      const sides = await handshake.withToken(index, octets)
      if (!sides) continue
      // What was carried is proved in the end (§4.1); in the clear of the AP-REQ are the service's name and key versions.
      expect(index, what).toBe(carried)
      expectAgreed(sides)
    }
})

test('no token of IAKERB is taken twice, from another conversation, or changed in what its header says', async () => {
  const [handshake, another] = [await recorded(), await recorded(2)]
  const headers: readonly ((token: ProxyToken) => ProxyToken)[] = [
    (token) => ({ ...token, realm: 'EVIL.TEST' }),
    (token) => ({ ...token, realm: '' }),
    (token) => ({ ...token, form: token.form === 'utf8String' ? 'octetString' : 'utf8String' }),
    (token) => ({ ...token, cookie: utf8('crumbs') }),
    (token) => ({ ...token, message: new Uint8Array(0) }),
    (token) => ({ ...token, message: concat(token.message, Uint8Array.of(0)) }),
  ]
  for (const [index, token] of handshake.tokens.entries()) {
    const proxied = readProxyToken(token)
    const changed = proxied ? headers.map((change) => makeProxyToken(change(proxied), index === 0)) : []
    const others = index === 0 ? [] : another.tokens
    for (const octets of [...handshake.tokens.slice(0, index), ...others, ...changed, concat(token, token)])
      expect(await handshake.withToken(index, octets), `token ${index}`).toBeUndefined()
  }
})

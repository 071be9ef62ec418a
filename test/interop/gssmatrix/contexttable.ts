/** Rows: what else is done with an established context, errors, and SPNEGO with more than one mechanism. */
import { bind, type CredentialElement, Credentials, mechanismOids, Name, SecurityContext } from 'kerb/gss'
import { Krb5Context, krb5Mechanism } from 'kerb/gss/krb5'
import { spnego } from 'kerb/spnego'
import { expect } from 'vitest'
import { equal, utf8 } from '../../../src/bytes/index.ts'
import { PeerRefusal } from '../../support/gsspeer.ts'
import type { Cannot, Row } from './cells.ts'
import { exchangeMessages, services } from './messages.ts'
import { acceptor, type Both, converse, establish, type Pair, startPeer, withKeytab } from './pair.ts'

/** Does something with a context of each enctype. */
const each = (attempt: (both: Both) => Promise<void>) => async (pair: Pair) => {
  for (const service of services) await attempt(await establish(pair, { service }))
}

const limits = each(async ({ context, peer }) => {
  for (const sealed of [true, false])
    for (const size of [100, 1000, 65_536]) {
      const [ours, theirs] = [context.wrapSizeLimit(size, sealed), await peer.wrapSizeLimit(size, sealed)]
      expect(ours).toBe(theirs)
      expect((await peer.wrap(new Uint8Array(ours), sealed)).length).toBeLessThanOrEqual(size)
      expect(context.wrap(new Uint8Array(theirs), sealed).message.length).toBeLessThanOrEqual(size)
    }
})

const pseudoRandom = each(async ({ context, peer }) => {
  for (const key of ['full', 'partial'] as const)
    for (const size of [1, 16, 100])
      expect(context.pseudoRandom(utf8('seed'), size, key)).toEqual(
        await peer.pseudoRandom(utf8('seed'), size, key === 'full'),
      )
})

const sessionKey = each(async ({ context, peer }) => {
  expect(context.sessionKey().octets).toEqual(await peer.sessionKey())
})

async function large(pair: Pair): Promise<void> {
  const { context, peer } = await establish(pair)
  const message = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) & 0xff)
  const there = await peer.unwrap(context.wrap(message).message)
  expect(equal(there.message, message)).toBe(true)
  expect(equal(context.unwrap(await peer.wrap(message)).message, message)).toBe(true)
}

/** A changed octet of a token is refused by both, and what comes after is not. */
async function changed(pair: Pair): Promise<void> {
  const refusal = /^GSS_S_(BAD_MECH|BAD_MIC|BAD_SIG|DEFECTIVE_TOKEN|FAILURE)/
  for (const service of [...services, 'e-arcfour', 'e-des3']) {
    const both = await establish(pair, { service, flags: [] })
    const { context, peer } = both
    const message = utf8('a message of some length')
    for (const sealed of [true, false]) {
      const ours = context.wrap(message, sealed).message
      const theirs = await peer.wrap(message, sealed)
      for (const at of [ours.length - 1, ours.length - 20]) {
        await expect(peer.unwrap(flipped(ours, at))).rejects.toThrow(refusal)
        expect(() => context.unwrap(flipped(theirs, at))).toThrow(refusal)
      }
    }
    await expect(peer.verify(utf8('another'), context.sign(message))).rejects.toThrow(refusal)
    const theirs = await peer.sign(message)
    expect(() => context.verify(utf8('another'), theirs)).toThrow(refusal)
    await exchangeMessages(both)
  }
}

const flipped = (token: Uint8Array, at: number) => token.map((octet, i) => (i === at ? octet ^ 1 : octet))

/** Each side goes on with what the other exported. */
const exported = (mech: 'krb5' | 'spnego') => async (pair: Pair) => {
  for (const service of [...services, 'e-arcfour', 'e-des3'])
    for (const flags of [['mutualAuthentication', 'outOfSequenceDetection'], []] as const) {
      const both = await establish(pair, { mech, service, flags })
      await exchangeMessages(both)
      const { context, peer } = both
      const theirs = SecurityContext.import(await peer.export(), { mech: pair.kerberos[mech] })
      await peer.import(context.export())
      expect(theirs.usage).not.toBe(context.usage)
      expect(theirs.initiatorName.text).toBe(`alice@${pair.kdc.realm}`)
      await exchangeMessages({ ...both, context: theirs })
    }
}

/** An acceptor that lacks the service's key says so in a token, which the other side can read. */
async function refusedWithToken(pair: Pair): Promise<void> {
  const env = withKeytab(pair.kdc, 'host')
  if (pair.we === 'initiate') {
    const { kerberos, kdc } = pair
    using peer = await startPeer(pair.library, env)
    await peer.accept('krb5')
    const creds = await kerberos.acquire({ usage: 'initiate' })
    const name = Name.principal(`echo/localhost@${kdc.realm}`)
    const context = new SecurityContext({ usage: 'initiate', name, creds, mech: kerberos.krb5 })
    const refusal = await peer.step(await context.step()).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(PeerRefusal)
    const { token } = refusal as PeerRefusal
    if (!token) expect.fail('the acceptor gave no token')
    await expect(context.step(token)).rejects.toMatchObject({ minor: expect.stringMatching(/^KRB_/) })
    return
  }
  const context = await acceptor(pair, {}, 'host')
  await pair.peer.initiate(`echo/localhost@${pair.kdc.realm}`, 'krb5', 2)
  const { token } = await pair.peer.step()
  const refusal = (await context.step(token).catch((error: unknown) => error)) as { token?: Uint8Array }
  if (!refusal.token) expect.fail('we gave no token')
  await expect(pair.peer.step(refusal.token)).rejects.toThrow(/key|principal|ticket/i)
}

/** A mechanism that nobody knows. */
const other = '1.3.6.1.4.1.1.1'

const element: CredentialElement = {
  mechanism: other,
  name: undefined,
  usage: 'both',
  endtime: undefined,
  [Symbol.dispose]() {},
}

/** We would rather use a mechanism that they do not know: krb5 has to be agreed on, and the list of mechanisms proved. */
async function negotiated(pair: Pair): Promise<void> {
  const { kerberos, kdc } = pair
  const usage = pair.we
  const own = await kerberos.acquire(
    usage === 'initiate' ? { usage } : { usage, store: { keytab: withKeytab(kdc, 'all')['KRB5_KTNAME'] } },
  )
  const creds = new Credentials([element, own.element(mechanismOids.krb5)!])
  const krb5 = krb5Mechanism(kerberos.env)
  const mech = bind(spnego([{ ...krb5, oid: other, aliases: [], name: 'other' }, krb5]), kerberos.world)
  const name = Name.principal(`echo/localhost@${kdc.realm}`)
  const context =
    usage === 'initiate'
      ? new SecurityContext({ usage, name, creds, mech, flags: ['mutualAuthentication'] })
      : new SecurityContext({ usage, creds, mech })
  if (usage === 'initiate') await pair.peer.accept('spnego')
  else await pair.peer.initiate(name.text, 'spnego', 2 | 16 | 32)
  const both = await converse(usage, context, pair.peer)
  expect([context.mech, (await pair.peer.inquire()).mech]).toEqual([mechanismOids.krb5, 'krb5'])
  await exchangeMessages(both)
}

/** The word by which RFC 1964 ends a context on the other side; they send none any more, and take ours. */
async function deleted(pair: Pair): Promise<void> {
  for (const service of ['e-arcfour', 'e-des3']) {
    const { context, peer } = await establish(pair, { service, flags: [] })
    const { established } = context
    if (!(established instanceof Krb5Context)) expect.fail('another mechanism')
    await peer.processToken(established.deletionToken()!)
    await expect(peer.sign(utf8('message'))).rejects.toThrow('GSS_S_NO_CONTEXT')
  }
}

const otherFormat: Cannot = {
  because: 'The exported contexts of Heimdal have a form of their own.',
  says: /not an exported context of MIT/,
}
const unproved: Cannot = {
  because:
    'An acceptor of Heimdal 7.8 that takes another mechanism than the first sends no MIC of the list (RFC 4178 §5): we refuse it.',
  says: /the MIC of the list of mechanisms is required, and missing/,
}
const noToken: Cannot = { because: 'An acceptor of Heimdal that has no key says nothing.', says: /gave no token/ }
const noCall: Cannot = { because: 'python-gssapi has no such call.', says: /UNKNOWN/ }

export const contextRows: readonly Row[] = [
  { mechanism: 'A message of a million octets', source: 'RFC 2743 §2.3.3', run: large },
  { mechanism: 'A changed message, refused', source: 'RFC 2743 §2.3.4', run: changed },
  { mechanism: 'Size limits of messages', source: 'RFC 2743 §2.2.7', run: limits },
  { mechanism: 'Pseudo-random octets', source: 'RFC 4401, RFC 4402', run: pseudoRandom, cannot: { python: noCall } },
  { mechanism: 'Session key', source: 'GSS_C_INQ_SSPI_SESSION_KEY', run: sessionKey },
  {
    mechanism: 'Exported, and gone on with by the other side, krb5',
    source: 'RFC 2743 §2.2.8',
    run: exported('krb5'),
    cannot: { heimdal: otherFormat },
  },
  {
    mechanism: 'Exported, and gone on with, SPNEGO',
    source: 'RFC 2743 §2.2.8',
    run: exported('spnego'),
    cannot: { heimdal: otherFormat },
  },
  {
    mechanism: 'A refusal read by the other side',
    source: 'RFC 4121 §4.1',
    run: refusedWithToken,
    cannot: { heimdalInitiate: noToken },
  },
  {
    mechanism: 'SPNEGO, krb5 not the first choice',
    source: 'RFC 4178 §5',
    run: negotiated,
    cannot: { heimdalInitiate: unproved },
  },
  {
    mechanism: 'Deletion of a context, told',
    source: 'RFC 1964 §1.2.3',
    run: deleted,
    cannot: { heimdal: { because: 'Heimdal takes no word of a deleted context.', says: /GSS_S_DEFECTIVE_TOKEN/ } },
  },
]

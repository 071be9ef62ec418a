/** Rows: services of a context that are asked for and granted (RFC 2743 §1.2), and who it is with. */
import { flagBits, type GssFlag, majorCodes } from 'kerb/gss'
import { expect } from 'vitest'
import { utf8 } from '../../../src/bytes/index.ts'
import type { Row } from './cells.ts'
import { exchangeMessages } from './messages.ts'
import { acceptor, aliceAt, establish, initiatingBy, nobodyAt, type Pair, strangerAt } from './pair.ts'

const all = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection', 'dceStyle', 'delegateToPeer'] as const

/** Each of the 32 sets comes out the same on both sides, in as many tokens as it takes. */
const everySet = (mech: 'krb5' | 'spnego') => async (pair: Pair) => {
  for (let n = 0; n < 1 << all.length; n++) {
    const flags: readonly GssFlag[] = all.filter((_, bit) => n & (1 << bit))
    const { context, peer, legs } = await establish(pair, { mech, flags })
    const facts = await peer.inquire()
    for (const flag of all) {
      const due = flags.includes(flag) || (flag === 'mutualAuthentication' && flags.includes('dceStyle'))
      const granted = { ours: context.actualFlags.has(flag), theirs: (facts.flags & flagBits[flag]) !== 0 }
      expect(granted, `${flag} of ${flags}`).toEqual({ ours: due, theirs: due })
    }
    if (mech === 'krb5')
      expect(legs).toBe(flags.includes('dceStyle') ? 3 : flags.includes('mutualAuthentication') ? 2 : 1)
    context[Symbol.dispose]()
  }
}

async function delegates(pair: Pair): Promise<void> {
  for (const mech of ['krb5', 'spnego'] as const) {
    const { context, peer } = await establish(pair, { mech, flags: ['mutualAuthentication', 'delegateToPeer'] })
    const alice = `alice@${pair.kdc.realm}`
    if (pair.we === 'initiate') {
      expect(await peer.delegated()).toBe(alice)
      await peer.act(true)
      const next = await establish({ ...pair, we: 'accept' }, { service: 'host' })
      expect(next.context.initiatorName.text).toBe(alice)
      await peer.act(false)
    } else {
      const creds = context.delegatedCredentials!
      expect(creds.name?.text).toBe(alice)
      await establish({ ...pair, we: 'initiate' }, { service: 'host', creds })
      expect((await peer.inquire()).initiator).toBe(alice)
    }
  }
}

/** What is asked of a context with `service`, and whether the ticket goes along. */
const delegatesIf =
  (wanted: boolean, flags: readonly GssFlag[], service = 'echo', ...kinit: readonly string[]) =>
  async (pair: Pair) => {
    using by = await initiatingBy(pair, await aliceAt(pair.kdc, ...kinit))
    const { context, peer } = await establish(pair, { flags, service, ...by })
    expect(context.actualFlags.has('delegateToPeer')).toBe(wanted)
    expect(((await peer.inquire()).flags & flagBits.delegateToPeer) !== 0).toBe(wanted)
  }

/** The order in which both sides get six messages, some of them again. */
const order = [0, 1, 1, 3, 2, 2]

/** What each side says to them: supplementary bits. */
const disorder = (flags: readonly GssFlag[], expected: readonly number[]) => async (pair: Pair) => {
  const { context, peer } = await establish(pair, { flags: ['mutualAuthentication', ...flags], disorder: 'report' })
  const message = utf8('message')
  const ours = order.map(() => context.wrap(message).message)
  const theirs: Uint8Array[] = []
  for (const _ of order) theirs.push(await peer.wrap(message))
  const weSay = order
    .map((i) => context.unwrap(theirs[i]!).supplementary)
    .map((code) => (code ? majorCodes[code].number : 0))
  expect(weSay).toEqual(expected)
  const theySay: number[] = []
  for (const i of order) theySay.push((await peer.unwrap(ours[i]!)).status)
  expect(theySay).toEqual(expected)
}

async function anonymous(pair: Pair): Promise<void> {
  using by = await initiatingBy(pair, await nobodyAt(pair.kdc))
  const both = await establish(pair, { ...by })
  const facts = await both.peer.inquire()
  expect(both.context.actualFlags.has('anonymity')).toBe(true)
  // MIT's flags say nothing of it.
  expect(facts.initiator).toMatch(/^WELLKNOWN\/ANONYMOUS@/)
  await exchangeMessages(both)
}

export const flagRows: readonly Row[] = [
  {
    mechanism: 'All 32 sets of mutual, replay, sequence, DCE style and delegation, krb5',
    source: 'RFC 4121 §4.1.1',
    run: everySet('krb5'),
  },
  { mechanism: 'All 32 sets, SPNEGO', source: 'RFC 4178', run: everySet('spnego') },
  { mechanism: 'Delegated credentials, and their use', source: 'RFC 4121 §4.1.1', run: delegates },
  {
    mechanism: 'No delegation of a ticket that is not forwardable',
    source: 'RFC 4121 §4.1.1',
    run: delegatesIf(false, ['mutualAuthentication', 'delegateToPeer'], 'echo', '-F'),
  },
  {
    mechanism: 'Delegation where policy trusts the service',
    source: 'RFC 5896',
    run: delegatesIf(true, ['mutualAuthentication', 'okAsDelegate'], 'HTTP'),
  },
  {
    mechanism: 'No delegation where policy does not',
    source: 'RFC 5896',
    run: delegatesIf(false, ['mutualAuthentication', 'okAsDelegate'], 'echo'),
  },
  { mechanism: 'Replays told', source: 'RFC 2743 §1.2.3', run: disorder(['replayDetection'], [0, 0, 2, 0, 0, 2]) },
  {
    mechanism: 'Replays and disorder told',
    source: 'RFC 2743 §1.2.3',
    run: disorder(['replayDetection', 'outOfSequenceDetection'], [0, 0, 2, 16, 8, 2]),
  },
  {
    mechanism: 'Nothing told where nothing was asked',
    source: 'RFC 2743 §1.2.3',
    run: disorder([], [0, 0, 0, 0, 0, 0]),
  },
  { mechanism: 'Anonymous initiator', source: 'RFC 8062', run: anonymous },
  {
    mechanism: 'Service by the name of its host',
    source: 'RFC 2743 §4.1',
    async run(pair) {
      const { context, peer } = await establish(pair, { service: 'echo@localhost' })
      const target = `echo/localhost@${pair.kdc.realm}`
      expect([context.targetName.text, (await peer.inquire()).target]).toEqual([target, target])
    },
  },
  {
    mechanism: 'User of another realm',
    source: 'RFC 4120 §1.2',
    async run(pair) {
      using by = await initiatingBy(pair, await strangerAt(pair.kdc))
      const { context, peer } = await establish(pair, { ...by })
      const who = context.initiatorName.text
      expect(who).toMatch(/^(mia@MID|otto@OTHER)\.TEST$/)
      expect((await peer.inquire()).initiator).toBe(who)
    },
  },
  {
    mechanism: 'Lifetime',
    source: 'RFC 2743 §2.2.6',
    async run(pair) {
      const { context, peer } = await establish(pair)
      const { lifetime } = await peer.inquire()
      // MIT's acceptor adds the clock skew.
      const ahead = lifetime - (context.endtime - Date.now() / 1000)
      expect(Math.min(Math.abs(ahead), Math.abs(ahead - 300))).toBeLessThan(3)
    },
  },
  {
    mechanism: 'The first token again',
    source: 'RFC 4120 §3.2.3',
    cannot: { heimdalInitiate: { because: 'An acceptor of Heimdal keeps no replay cache.', says: /resolved/ } },
    async run(pair) {
      const wanted = { flags: [] }
      const { first } = await establish(pair, wanted)
      if (pair.we === 'initiate') {
        await pair.peer.accept('krb5')
        await expect(pair.peer.step(first)).rejects.toThrow(/DUPLICATE_TOKEN|replay/)
      } else {
        const again = await acceptor(pair)
        await expect(again.step(first)).rejects.toMatchObject({ minor: 'KRB_AP_ERR_REPEAT' })
      }
    },
  },
]

/** Rows: gss-client and gss-server of MIT with what they can be told, one after the other and together. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GssFlag } from 'kerb/gss'
import { expect } from 'vitest'
import { lab, scratch } from '../../lab/index.ts'
import { sampleFlags } from '../../support/samples.ts'
import type { Cannot } from './cells.ts'
import {
  cNames,
  flagsTold,
  gssClient,
  gssServer,
  gssServerOfInetd,
  type SampleMechanism,
  type SampleServer,
  type Talk,
  talk,
} from './samples.ts'

/** Something that one of the programs does by a mechanism. */
export interface SampleRow {
  readonly options: string
  readonly run: (mech: SampleMechanism) => Promise<void>
  readonly cannot?: { readonly [M in SampleMechanism]?: Cannot }
}

/** All choices among `options`, none first. */
const choices = <T>(options: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: 1 << options.length }, (_, n) => options.filter((_, bit) => n & (1 << bit)))

const contextOptions = ['-d', '-seq', '-noreplay', '-nomutual'] as const
const messageOptions = ['-nw', '-nx', '-nm'] as const

/** The services that gss-client asks for with these options. */
function asked(options: readonly string[]): ReadonlySet<GssFlag> {
  const flags = new Set<GssFlag>()
  if (!options.includes('-nomutual') || options.includes('-dce')) flags.add('mutualAuthentication')
  if (!options.includes('-noreplay')) flags.add('replayDetection')
  if (options.includes('-seq')) flags.add('outOfSequenceDetection')
  if (options.includes('-dce')) flags.add('dceStyle')
  return flags
}

const watched: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection', 'dceStyle']

interface Client {
  readonly connections?: number
  readonly messages?: number
  readonly text?: string
  readonly argument?: string
}

/** Runs gss-client with these options; holds what was seen to what they mean. */
async function client(mech: SampleMechanism, options: readonly string[], given: Client = {}): Promise<void> {
  const { connections = 1, messages = 1, text = 'from MIT', argument = text } = given
  const { stdout, seen } = await gssClient(mech, options, argument)
  const has = (option: string) => options.includes(option)
  expect(seen).toHaveLength(connections)
  const { data, wrapped, encrypted, sendMic } = sampleFlags
  const plain = has('-na')
  // What is not wrapped is said to be sealed all the same.
  const [wraps, seals, wantsMic] = ['-nw', '-nx', '-nm'].map((option) => !plain && !has(option))
  const kind = has('-v1') ? 0 : data | (wraps ? wrapped : 0) | (seals ? encrypted : 0) | (wantsMic ? sendMic : 0)
  for (const { flags, initiator, delegated, messages: got } of seen) {
    if (plain) expect(flags).toBeUndefined()
    else {
      const granted = watched.filter((flag) => flags!.has(flag))
      expect(granted, options.join(' ')).toEqual(watched.filter((flag) => asked(options).has(flag)))
      expect([initiator, delegated]).toEqual(['alice@LAB.TEST', has('-d') ? 'alice@LAB.TEST' : undefined])
    }
    expect(got).toEqual(Array.from({ length: messages }, () => ({ text, flags: kind })))
  }
  if (!has('-q')) expect(stdout).toContain(wantsMic ? 'Signature verified.' : 'Response received.')
}

const alone = (options: readonly string[], more = {}): SampleRow => ({
  options: options.join(' ') || 'none',
  run: (mech) => client(mech, options, more),
})

export const clientRows: readonly SampleRow[] = [
  alone([]),
  ...contextOptions.map((option) => alone([option])),
  {
    options: 'all 16 choices of -d -seq -noreplay -nomutual',
    async run(mech) {
      for (const options of choices(contextOptions)) await client(mech, options)
    },
  },
  alone(['-dce']),
  ...messageOptions.map((option) => alone([option])),
  {
    options: 'all 8 choices of -nw -nx -nm',
    async run(mech) {
      for (const options of choices(messageOptions)) await client(mech, options)
    },
  },
  alone(['-na']),
  alone(['-v1']),
  {
    options: '-v1 with all 16 choices of -d -seq -noreplay -nomutual',
    async run(mech) {
      for (const options of choices(contextOptions)) await client(mech, ['-v1', ...options])
    },
  },
  alone(['-ccount', '3'], { connections: 3 }),
  alone(['-mcount', '3'], { messages: 3 }),
  alone(['-user', 'alice', '-pass', 'alice-pw']),
  alone(['-q']),
  {
    options: '-f',
    async run(mech) {
      const file = join(scratch(), 'message')
      writeFileSync(file, 'of a file')
      await client(mech, ['-f'], { text: 'of a file', argument: file })
    },
  },
]

/** Our client at a gss-server with these options; holds what it says to what was done. */
async function server(mech: SampleMechanism, options: readonly string[], how: Talk = {}): Promise<void> {
  using theirs = await gssServer([...iakerbToo(mech), ...options])
  await told(theirs, mech, how)
  if (options.includes('-once')) expect(await theirs.ended).toBe(0)
}

const iakerbToo = (mech: SampleMechanism) => (mech === 'iakerb' ? ['-iakerb'] : [])

async function told({ port, said, output = said }: SampleServer, mech: SampleMechanism, how: Talk): Promise<void> {
  const before = [said().length, output().length]
  const { messages = ['from us'], authenticate = true, flags = ['mutualAuthentication', 'replayDetection'] } = how
  await talk(port, mech, { ...how, flags })
  const log = () => said().slice(before[0])
  await expect.poll(log, { timeout: 5000 }).toContain(`Received message: "${messages.at(-1)}"`)
  const greeting = authenticate ? 'Accepted connection: "alice@LAB.TEST"' : 'Accepted unauthenticated connection.'
  if (output !== said) await expect.poll(() => output().slice(before[1]), { timeout: 5000 }).toContain(greeting)
  const names = [...flagsTold(log())].filter((name) => Object.values(cNames).includes(name))
  expect(names.sort()).toEqual(authenticate ? flags.flatMap((flag) => cNames[flag] ?? []).sort() : [])
}

const serves = (
  options: string,
  how: Talk = {},
  given = options.split(' ').filter((word) => word.startsWith('-')),
): SampleRow => ({
  options,
  run: (mech) => server(mech, given, how),
})

/** One server for many conversations. */
const many = (options: string, talks: readonly Talk[]): SampleRow => ({
  options,
  async run(mech) {
    using theirs = await gssServer(iakerbToo(mech))
    for (const how of talks) await told(theirs, mech, how)
  },
})

const services = ['delegateToPeer', 'outOfSequenceDetection', 'replayDetection', 'mutualAuthentication'] as const
const everyService = choices<GssFlag>(services).map((flags): Talk => ({ flags }))

/** MIT's own gss-client hears as little with -v1. */
const onlySecond: Cannot = {
  because: 'gss-server 1.20 hangs up on the first version of its protocol, on gss-client -v1, too.',
  says: /hung up/,
}

export const serverRows: readonly SampleRow[] = [
  serves('-verbose -logfile', {}, []),
  serves('-export'),
  serves('-once'),
  {
    options: '-inetd',
    async run(mech) {
      using theirs = await gssServerOfInetd(iakerbToo(mech))
      await told(theirs, mech, {})
    },
  },
  {
    options: '-keytab',
    run: (mech) => server(mech, ['-keytab', join(lab.mit.dir, 'keytabs/echo.keytab')]),
  },
  many('all 16 sets of delegation, sequence, replay, mutual', everyService),
  {
    ...serves('first version', { first: true }, []),
    cannot: { krb5: onlySecond, spnego: onlySecond, iakerb: onlySecond },
  },
  many(
    'messages wrapped, sealed, answered by a MIC, or not',
    choices(['wrap', 'encrypt', 'mic'] as const)
      .filter((on) => on.includes('wrap') || !on.includes('encrypt'))
      .map((on) => ({ wrap: on.includes('wrap'), encrypt: on.includes('encrypt'), mic: on.includes('mic') })),
  ),
  serves('several messages', { messages: ['one', 'two', 'three'] }, []),
  serves('no authentication', { authenticate: false, wrap: false, mic: false }, []),
]

/** Records that are no good, at gssproxy 0.9.1 and at ours: both give the same answer of RPC, save where gssproxy fails itself. */
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OctetReader } from '../../src/bytes/cursor.ts'
import { concat } from '../../src/bytes/index.ts'
import { marked } from '../../src/krb5/framing.ts'
import { recorded } from '../gssproxy/recorded.ts'
import { lab, peer, startGssProxy } from '../lab/index.ts'
import { keyFolder } from '../support/gssproxy.ts'
import { kerbDaemon } from '../support/kerb.ts'

/** Milliseconds within which gssproxy has answered or hung up, or never will; ours is given longer. */
const [THEIR_PATIENCE, OUR_PATIENCE] = [1500, 20_000]

/** What comes of `octets` on a new connection: what RPC says, or `closed`. */
async function outcome(path: string, octets: Uint8Array, patience = OUR_PATIENCE): Promise<string> {
  const socket = connect({ path })
  try {
    return await new Promise((resolve) => {
      socket.on('error', () => undefined)
      socket.on('data', (answer) => resolve(wordsOf(answer)))
      socket.on('close', () => resolve('closed'))
      setTimeout(() => resolve('silence'), patience).unref()
      socket.write(octets)
    })
  } finally {
    socket.destroy()
  }
}

/** msg_accepted with its accept_stat, or msg_denied with its reason (RFC 5531 §9). */
function wordsOf(octets: Uint8Array): string {
  const reader = new OctetReader(new Uint8Array(octets).subarray(4))
  const [, type, denied] = [reader.uint32(), reader.uint32(), reader.uint32()]
  if (denied === 1) return `reply ${type}, denied ${reader.uint32()} ${reader.uint32()}`
  return `reply ${type}, accepted ${[reader.uint32(), reader.uint32(), reader.uint32()].join(' ')}`
}

peer(['mit', 'gssproxy'], 'malformed records', () => {
  let ours: AsyncDisposable
  let keys: ReturnType<typeof keyFolder>
  const sockets = () => [keys.path('theirs.sock'), keys.path('ours.sock')] as const

  beforeAll(async () => {
    keys = keyFolder()
    const store = [`cred_store = keytab:${keys.keytab('HTTP')}`, `cred_store = client_keytab:${keys.keytab('svc1')}`]
    const settings = (name: string) => [...store, `socket = ${keys.path(`${name}.sock`)}`, 'euid = 0']
    await startGssProxy(keys.config({ theirs: [...settings('theirs'), 'cred_store = ccache:MEMORY:theirs'] }))
    const config = keys.config({ ours: settings('ours') })
    ours = await kerbDaemon(['gssproxy', '--config', config], /Ready/, { KRB5_CONFIG: lab.mit.env['KRB5_CONFIG']! })
  })
  afterAll(async () => ours?.[Symbol.asyncDispose]())

  const calls = recorded.filter(({ file }) => /^(01|03|06|08|09|11)-.*-call/.test(file))
  /** Words with padding, which RFC 4506 §3 has to be zeros; of 06 also one that makes another word an enumeration (§4.3). */
  const strict: Readonly<Record<string, readonly number[]>> = {
    '03-IMPORT_AND_CANON_NAME-call.bin': [68, 84],
    '06-ACQUIRE_CRED-call.bin': [76, 88],
    '08-INIT_SEC_CONTEXT-call.bin': [76, 92, 200, 216],
    '09-ACCEPT_SEC_CONTEXT-call.bin': [84, 100, 148, 240, 256],
  }
  /** Every word of it made another one, and cut off at every word. */
  function* spoilt(file: string, octets: Uint8Array) {
    for (let at = 4; at + 4 <= Math.min(octets.length, 260); at += 4) {
      const isStrict = strict[file]?.includes(at) || new DataView(octets.buffer).getUint32(at) <= 1
      for (const word of [0, 0xffff_ffff]) {
        const changed = octets.slice()
        new DataView(changed.buffer).setUint32(at, word)
        yield { what: `word ${at} is ${word}`, changed, isStrict }
      }
      yield { what: `cut at ${at}`, changed: octets.slice(0, at), isStrict: false }
    }
  }
  const [EXECUTED, GARBAGE_ARGS, SYSTEM_ERR] = [0, 4, 5].map((stat) => `reply 1, accepted 0 0 ${stat}`)
  /**
   * gssproxy never answers some calls that lack a length, takes any number for true (RFC 4506 §4.4 has 1) and any padding,
   * and fails itself over a context that is none, where ours says in GSS-API's words what is wrong.
   */
  const isBetter = (theirs: string, mine: string, isStrict: boolean) =>
    theirs === 'silence' ||
    (theirs === EXECUTED && mine === GARBAGE_ARGS && isStrict) ||
    (theirs === SYSTEM_ERR && mine === EXECUTED)

  test.each(calls)('$file', async ({ file, octets }) => {
    const [theirs, mine] = sockets()
    const different: string[] = []
    for (const { what, changed, isStrict } of spoilt(file, octets)) {
      const [expected, got] = await Promise.all([
        outcome(theirs, marked(changed), THEIR_PATIENCE),
        outcome(mine, marked(changed)),
      ])
      const isSame = expected === got || isBetter(expected, got, isStrict)
      if (!isSame || got === 'silence') different.push(`${what}: theirs ${expected}, ours ${got}`)
    }
    expect(different).toEqual([])
  })

  test.each([
    ['a fragment that is not the last', Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0)],
    ['more than a megabyte', Uint8Array.of(0x80, 0x10, 0, 1)],
    ['half a header', marked(new Uint8Array(20))],
    ['what is no record', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
  ])('%s', async (_, octets) => {
    const [theirs, mine] = sockets()
    expect([await outcome(theirs, octets), await outcome(mine, octets)]).toEqual(['closed', 'closed'])
  })

  test('answers come in order to a peer that asks without waiting', async () => {
    const call = marked(calls[0]!.octets)
    for (const path of sockets()) expect(await outcome(path, concat(call, call))).toMatch(/^reply 1, accepted 0 0 0/)
  })
})

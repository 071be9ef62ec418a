/** How a message reaches a KDC: real sockets on loopback, and KDCs that misbehave. RFC 4120 §7.2. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { TransportError } from '../../src/krb5/errors.ts'
import { framed } from '../../src/krb5/framing.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import type { TraceEvent } from '../../src/krb5/trace.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { kdcTransport, type Patience, type Transport } from '../../src/node/transport.ts'
import { krbConfig } from '../../src/store/config.ts'

const open: (Server | UdpSocket)[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of open.splice(0)) server.close()
})

async function udp(
  answer: (message: Uint8Array, reply: (octets: Uint8Array) => void) => void,
  port = 0,
  host = '127.0.0.1',
) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  open.push(socket)
  socket.on('message', (message, { address, port }) =>
    answer(message, (octets) => void (open.includes(socket) && socket.send(octets, port, address))),
  )
  socket.bind(port, host)
  await once(socket, 'listening')
  return socket.address().port
}
async function tcp(answer: (socket: Socket, data: Uint8Array) => void, port = 0, host = '127.0.0.1') {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => answer(socket, data))
  })
  open.push(server)
  server.listen(port, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Begins as an AS-REP does; nothing reads further here. */
const reply = (size = 40) => new Uint8Array(size).fill(0x6b)
const refusal = (errorCode: number) =>
  encode(KrbErrorMessage, {
    stime: 1,
    susec: 0,
    errorCode,
    realm: 'R',
    sname: { nameType: 2, nameString: ['krbtgt', 'R'] },
  })
const message = new Uint8Array(100).fill(1)
const sendTo = (
  kdc: readonly string[],
  options: Patience & { udpPreferenceLimit?: number; trace?: (event: TraceEvent) => void } = {},
) => {
  const { udpPreferenceLimit = 1465, ...patience } = options
  const config = krbConfig({ realms: { R: { kdc } }, udpPreferenceLimit })
  return kdcTransport({ config, attemptTimeout: 1000, deadline: 1500, headStart: 100, ...patience })({
    realm: 'R',
    message,
  })
}
const failure = async (sending: Promise<unknown>) => {
  const error = await sending.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(TransportError)
  return error as TransportError
}
/** A port that nobody listens on. */
async function deadPort() {
  const port = await tcp(() => undefined)
  open.pop()!.close()
  return port
}

describe('a message to a KDC', () => {
  test('goes by UDP, and the answer says who gave it', async () => {
    const port = await udp((_, answer) => answer(reply()))
    expect(await sendTo([`127.0.0.1:${port}`])).toEqual({ message: reply(), kdc: `127.0.0.1:${port} (UDP)` })
  })

  test('goes once more when it is lost', async () => {
    let heard = 0
    const port = await udp((_, answer) => ++heard === 2 && answer(reply()))
    expect((await sendTo([`udp/127.0.0.1:${port}`])).message).toEqual(reply())
    expect(heard).toBe(2)
  })

  test.each([
    [1, 'TCP'],
    [99, 'TCP'],
    [100, 'UDP'],
    [32_700, 'UDP'],
    [0, 'TCP'],
    [-1, 'UDP'],
  ])('with udp_preference_limit = %i goes by %s', async (udpPreferenceLimit, transport) => {
    const port = await tcp((socket) => socket.write(framed(reply())))
    await udp((_, answer) => answer(reply()), port)
    expect((await sendTo([`127.0.0.1:${port}`], { udpPreferenceLimit })).kdc).toContain(`(${transport})`)
  })

  test('goes by TCP when the KDC says that the reply is too big for UDP', async () => {
    const port = await tcp((socket) => socket.write(framed(reply(9000))))
    await udp((_, answer) => answer(refusal(52)), port)
    const seen: TraceEvent[] = []
    const answer = await sendTo([`127.0.0.1:${port}`], { trace: (event) => seen.push(event) })
    expect([answer.message.length, answer.kdc]).toEqual([9000, `127.0.0.1:${port} (TCP)`])
    expect(seen.map(({ kind }) => kind)).toEqual(['attempt', 'attempt-failed', 'attempt'])
  })

  test('over IPv6', async () => {
    const port = await udp((_, answer) => answer(reply()), 0, '::1')
    expect((await sendTo([`[::1]:${port}`])).kdc).toBe(`[::1]:${port} (UDP)`)
  })

  test('comes together from single octets', async () => {
    const port = await tcp((socket) => {
      for (const octet of framed(reply())) socket.write(Uint8Array.of(octet))
    })
    expect((await sendTo([`tcp/127.0.0.1:${port}`])).message).toEqual(reply())
  })

  test('passes over a KDC that is dead, at once', async () => {
    const dead = await deadPort()
    const port = await udp((_, answer) => answer(reply()))
    const start = performance.now()
    expect((await sendTo([`127.0.0.1:${dead}`, `127.0.0.1:${port}`], { headStart: 5000 })).kdc).toContain(`:${port} `)
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('does not wait for a silent KDC, but takes its answer if that comes first', async () => {
    const silent = await udp(() => undefined)
    const slow = await udp((_, answer) => setTimeout(answer, 250, reply(50)))
    const port = await udp((_, answer) => answer(reply(60)))
    expect((await sendTo([`udp/127.0.0.1:${silent}`, `udp/127.0.0.1:${port}`])).message.length).toBe(60)
    expect((await sendTo([`udp/127.0.0.1:${slow}`, `udp/127.0.0.1:${silent}`])).message.length).toBe(50)
  })

  test('passes over a KDC that has no service to offer', async () => {
    const sick = await udp((_, answer) => answer(refusal(29)))
    const port = await udp((_, answer) => answer(reply()))
    expect((await sendTo([`udp/127.0.0.1:${sick}`, `udp/127.0.0.1:${port}`])).kdc).toContain(`:${port} `)
  })

  test('takes the refusal of a KDC that has no service to offer when there is no other', async () => {
    const sick = await udp((_, answer) => answer(refusal(29)))
    const answer = await sendTo([`udp/127.0.0.1:${sick}`, `127.0.0.1:${await deadPort()}`])
    expect(answer).toEqual({ message: refusal(29), kdc: `127.0.0.1:${sick} (UDP)` })
  })

  test('takes every other error as the answer it is', async () => {
    const port = await udp((_, answer) => answer(refusal(6)))
    expect((await sendTo([`127.0.0.1:${port}`])).message).toEqual(refusal(6))
  })

  test('hears nobody but the KDC it asked', async () => {
    const stranger = createSocket('udp4')
    open.push(stranger)
    const port = await udp((_, answer) => setTimeout(answer, 100, reply(50)))
    const kdc = open.at(-1) as UdpSocket
    kdc.on('message', (_, from) => stranger.send(reply(10), from.port, from.address))
    expect((await sendTo([`127.0.0.1:${port}`])).message.length).toBe(50)
  })

  test('passes over datagrams that are no answer', async () => {
    const port = await udp((_, answer) => {
      for (const octets of [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(50).fill(0x30)]) answer(octets)
      answer(reply())
    })
    const failed: string[] = []
    const trace = (event: TraceEvent) => void (event.kind === 'attempt-failed' && failed.push(event.reason))
    expect((await sendTo([`127.0.0.1:${port}`], { trace })).message).toEqual(reply())
    expect(failed).toEqual([0, 3, 50].map((size) => `${size} octets came that are no reply of a KDC`))
  })

  test('passes over a KDC whose stream holds no answer', async () => {
    const babbler = await tcp((socket) => socket.write(framed(Uint8Array.of(0x30, 0x00))))
    const port = await tcp((socket) => socket.write(framed(reply())))
    expect((await sendTo([`tcp/127.0.0.1:${babbler}`, `tcp/127.0.0.1:${port}`])).kdc).toContain(`:${port} `)
    expect((await failure(sendTo([`tcp/127.0.0.1:${babbler}`]))).attempts).toEqual([
      { kdc: `127.0.0.1:${babbler} (TCP)`, reason: '2 octets came that are no reply of a KDC' },
    ])
  })

  test('reads no more of a stream than the length in front of the answer says', async () => {
    const port = await tcp((socket) => socket.write(Uint8Array.of(...framed(reply()), 9, 9, 9)))
    expect((await sendTo([`tcp/127.0.0.1:${port}`])).message).toEqual(reply())
  })

  test('finds the KDC by the name of its host, at whichever address it listens', async () => {
    const port = await udp((_, answer) => answer(reply()))
    expect((await sendTo([`udp/localhost:${port}`])).kdc).toMatch(
      new RegExp(`^localhost:${port}( \\[127\\.0\\.0\\.1\\])? \\(UDP\\)$`),
    )
  })
})

describe('when no KDC answers, the error tells every try:', () => {
  test('refused', async () => {
    const dead = await deadPort()
    const { attempts, message, realm } = await failure(sendTo([`127.0.0.1:${dead}`]))
    expect(attempts).toEqual([
      { kdc: `127.0.0.1:${dead} (UDP)`, reason: 'connection refused' },
      { kdc: `127.0.0.1:${dead} (TCP)`, reason: 'connection refused' },
    ])
    expect([realm, message]).toEqual(['R', expect.stringContaining(`127.0.0.1:${dead} (TCP): connection refused`)])
  })

  test('silent, within the deadline', async () => {
    const port = await udp(() => undefined)
    const start = performance.now()
    const { attempts } = await failure(sendTo([`udp/127.0.0.1:${port}`], { attemptTimeout: 300 }))
    expect(attempts).toEqual([{ kdc: `127.0.0.1:${port} (UDP)`, reason: 'no answer in 0.3 s' }])
    expect(performance.now() - start).toBeLessThan(1000)
    const { message } = await failure(sendTo([`udp/127.0.0.1:${port}`], { attemptTimeout: 5000, deadline: 200 }))
    expect(message).toContain('no KDC answered in 0.2 s')
  })

  test.each<[string, (socket: Socket) => void, RegExp]>([
    ['closed before a word', (socket) => socket.end(), /closed after 0 of the 4 octets of its length/],
    [
      'closed in the middle',
      (socket) => socket.end(framed(reply(1200)).subarray(0, 7)),
      /closed after 3 of 1200 octets/,
    ],
    [
      'a length that nobody could mean',
      (socket) => socket.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
      /4294967295 octets is announced, 8388608 are the limit/,
    ],
    ['reset', (socket) => socket.resetAndDestroy(), /connection reset/],
    [
      'a drip that never ends',
      (socket) => socket.write(framed(reply(1200)).subarray(0, 5)),
      /only 1 of 1200 octets came in time/,
    ],
  ])('%s', async (_, behave, reason) => {
    const port = await tcp(behave)
    expect((await failure(sendTo([`tcp/127.0.0.1:${port}`]))).attempts[0]!.reason).toMatch(reason)
  })

  test('a host that is not there', async () => {
    const { attempts } = await failure(sendTo(['no-such-host.invalid']))
    const reason = expect.stringMatching(/^(no such host|the name cannot be looked up at the moment)$/)
    expect(attempts).toEqual([
      { kdc: 'no-such-host.invalid:88 (UDP)', reason },
      { kdc: 'no-such-host.invalid:88 (TCP)', reason },
    ])
  })

  test('no KDC known at all', async () => {
    await expect(sendTo([])).rejects.toThrow(/no KDC is known; name one as kdc = host:port/)
  })
})

describe('a KDC that did not answer of late', () => {
  const sending = (kdc: readonly string[], clock: () => number) =>
    kdcTransport({ config: krbConfig({ realms: { R: { kdc } } }), attemptTimeout: 400, headStart: 100, clock })

  test('is asked last, for five minutes', async () => {
    let heard = 0
    const silent = await udp(() => void heard++)
    const port = await udp((_, answer) => answer(reply()))
    let time = 0
    const send = sending([`udp/127.0.0.1:${silent}`, `udp/127.0.0.1:${port}`], () => time)
    const took = async () => {
      const [start, before] = [performance.now(), heard]
      expect((await send({ realm: 'R', message })).kdc).toContain(`:${port} `)
      return [performance.now() - start >= 95, heard > before]
    }
    expect(await took()).toEqual([true, true])
    // What it was given up for is noted a moment after the answer.
    await sleep(20)
    expect(await took()).toEqual([false, false])
    time = 299_999
    expect(await took()).toEqual([false, false])
    time = 300_001
    expect(await took()).toEqual([true, true])
  })

  test('is asked all the same when it is the only one, and is first again once it answers', async () => {
    let sick = true
    const first = await udp((_, answer) => !sick && answer(reply(50)))
    const second = await deadPort()
    const send = sending([`udp/127.0.0.1:${first}`, `udp/127.0.0.1:${second}`], () => 0)
    await failure(send({ realm: 'R', message }))
    sick = false
    for (let i = 0; i < 2; i++) expect((await send({ realm: 'R', message })).message.length).toBe(50)
  })
})

describe('transports of the caller', () => {
  const unreachable = async () => {
    throw new TransportError('R', [{ kdc: 'carrier pigeon', reason: 'no coop' }])
  }
  const send = (transport: readonly (Transport | 'sockets')[], kdc: readonly string[]) =>
    new Kerberos({
      config: krbConfig({ realms: { R: { kdc } } }),
      environment: { configPaths: [] },
      transport,
    }).world.send({
      realm: 'R',
      message,
    })

  test('stand in for sockets, or come before them', async () => {
    const port = await udp((_, answer) => answer(reply()))
    const own: Transport = async ({ realm }) => ({ message: reply(7), kdc: `own of ${realm}` })
    expect(await send([own], [])).toEqual({ message: reply(7), kdc: 'own of R' })
    expect(await send([unreachable, own], [])).toMatchObject({ kdc: 'own of R' })
    expect(await send([unreachable, 'sockets'], [`127.0.0.1:${port}`])).toMatchObject({
      kdc: `127.0.0.1:${port} (UDP)`,
    })
  })

  test('tell every try when none reaches anybody', async () => {
    const dead = await deadPort()
    const attempts = [{ kdc: 'carrier pigeon' }, { kdc: `127.0.0.1:${dead} (UDP)` }, { kdc: `127.0.0.1:${dead} (TCP)` }]
    await expect(send([unreachable, 'sockets'], [`127.0.0.1:${dead}`])).rejects.toMatchObject({ attempts })
    await expect(send([() => Promise.reject(new TypeError('a bug'))], [])).rejects.toThrow('a bug')
  })
})

describe('a message to who changes passwords (RFC 3244)', () => {
  const answer = Uint8Array.of(0, 6, 0, 1, 0, 0)
  const send = (kpasswdServer: readonly string[]) => {
    const config = krbConfig({ realms: { R: { kdc: [], kpasswdServer } } })
    return kdcTransport({ config, attemptTimeout: 400, headStart: 100 })({ realm: 'R', message, service: 'kpasswd' })
  }

  test('goes by TCP first, then by UDP', async () => {
    const port = await tcp((socket) => socket.write(framed(answer)))
    await udp((_, reply) => reply(answer), port)
    expect(await send([`127.0.0.1:${port}`])).toEqual({ message: answer, kdc: `127.0.0.1:${port} (TCP)` })
    const only = await udp((_, reply) => reply(answer))
    expect((await send([`127.0.0.1:${only}`])).kdc).toBe(`127.0.0.1:${only} (UDP)`)
  })

  test('is answered by a KRB-ERROR or by octets that say their length and a version, by nothing else', async () => {
    const replies = [refusal(60), answer, Uint8Array.of(0, 7, 0, 1, 0, 0), Uint8Array.of(0, 6, 0, 2, 0, 0), reply()]
    const taken = replies.map(async (octets) => {
      const port = await tcp((socket) => socket.write(framed(octets)))
      return send([`tcp/127.0.0.1:${port}`]).then(
        () => true,
        () => false,
      )
    })
    expect(await Promise.all(taken)).toEqual([true, true, false, false, false])
  })

  test('has nobody to go to where none is known', async () => {
    await expect(send([])).rejects.toThrow(/no password server is known; name one as kpasswd_server/)
  })
})

describe('a question that is given up', () => {
  test.each(['udp', 'tcp'])('ends at once, by %s, with the reason', async (transport) => {
    const port = transport === 'udp' ? await udp(() => undefined) : await tcp(() => undefined)
    const stop = new AbortController()
    const patience = { signal: stop.signal, attemptTimeout: 20_000, deadline: 20_000 }
    const sending = sendTo([`${transport}/127.0.0.1:${port}`], patience)
    setTimeout(() => stop.abort(new TypeError('enough')), 50)
    await expect(sending).rejects.toThrow('enough')
  })

  test('before it was put is not put at all', async () => {
    const trace: TraceEvent[] = []
    const options = {
      signal: AbortSignal.abort(new TypeError('enough')),
      trace: (event: TraceEvent) => trace.push(event),
    }
    await expect(sendTo(['127.0.0.1:9'], options)).rejects.toThrow('enough')
    expect(trace).toEqual([])
  })
})

test.each<[string, (port: number, silent: number) => Promise<unknown>]>([
  ['an answer', (port) => sendTo([`127.0.0.1:${port}`])],
  ['an answer while others are silent', (port, silent) => sendTo([`udp/127.0.0.1:${silent}`, `127.0.0.1:${port}`])],
  ['a deadline', async (port) => failure(sendTo([`tcp/127.0.0.1:${port}`], { deadline: 50 }))],
  [
    'giving up',
    (port) => sendTo([`tcp/127.0.0.1:${port}`], { signal: AbortSignal.timeout(50) }).catch(() => undefined),
  ],
])('leaves no socket and no timer open after %s', async (_, send) => {
  const port = await tcp(() => undefined)
  await udp((_, answer) => answer(reply()), port)
  const silent = await udp(() => undefined)
  // What ends ends a moment later, the far ends of connections among it.
  const resources = async () => {
    await sleep(50)
    const kinds = process.getActiveResourcesInfo()
    return ['UDPWrap', 'TCPSocketWrap', 'Timeout'].map((kind) => kinds.filter((other) => other === kind).length)
  }
  const before = await resources()
  await send(port, silent)
  // Timers of the test runner itself may have ended meanwhile.
  for (const [i, count] of (await resources()).entries()) expect(count).toBeLessThanOrEqual(before[i]!)
})

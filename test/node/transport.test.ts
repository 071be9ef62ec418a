/** How a message reaches a KDC: real sockets on loopback, and KDCs that misbehave. RFC 4120 §7.2. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { TransportError } from '../../src/krb5/errors.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import type { TraceEvent } from '../../src/krb5/trace.ts'
import { framed } from '../../src/node/framing.ts'
import { kdcTransport, type Patience } from '../../src/node/transport.ts'
import { krbConfig } from '../../src/store/config.ts'

const open: (Server | UdpSocket)[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
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
    expect((await sendTo([`127.0.0.1:${port}`])).message).toEqual(reply())
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
    expect(attempts).toEqual([{ kdc: `127.0.0.1:${port} (UDP)`, reason: 'no answer within 300 ms' }])
    expect(performance.now() - start).toBeLessThan(1000)
    const { message } = await failure(sendTo([`udp/127.0.0.1:${port}`], { attemptTimeout: 5000, deadline: 200 }))
    expect(message).toContain('no KDC answered within 200 ms')
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
      /no answer within 1000 ms/,
    ],
  ])('%s', async (_, behave, reason) => {
    const port = await tcp(behave)
    expect((await failure(sendTo([`tcp/127.0.0.1:${port}`]))).attempts[0]!.reason).toMatch(reason)
  })

  test('a host that is not there', async () => {
    const { attempts } = await failure(sendTo(['no-such-host.invalid']))
    expect(attempts).toContainEqual({ kdc: 'no-such-host.invalid:88 (UDP)', reason: 'no such host' })
  })

  test('no KDC known at all', async () => {
    await expect(sendTo([])).rejects.toThrow(/no KDC is known; name one as kdc = host:port/)
  })
})

test('a question that is given up ends at once, with the reason', async () => {
  const port = await udp(() => undefined)
  const stop = new AbortController()
  const sending = sendTo([`127.0.0.1:${port}`], { signal: stop.signal, attemptTimeout: 20_000, deadline: 20_000 })
  setTimeout(() => stop.abort(new TypeError('enough')), 50)
  await expect(sending).rejects.toThrow('enough')
})

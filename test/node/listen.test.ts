import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { framed, Unframer } from '../../src/krb5/framing.ts'
import { listen } from '../../src/node/listen.ts'

const tooBig = () => Uint8Array.of(52)
const echo = (request: Uint8Array) => (request[0] === 0 ? undefined : request)

async function byUdp(port: number, message: Uint8Array): Promise<Uint8Array> {
  const socket = createSocket('udp4')
  socket.send(message, port, '127.0.0.1')
  const [answer] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return new Uint8Array(answer)
}

test('one port serves UDP and TCP, several requests to a connection', async () => {
  await using server = await listen(echo, { tooBig })
  expect(await byUdp(server.port, Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2))
  const socket = connect(server.port, '127.0.0.1')
  for (const octet of [...framed(Uint8Array.of(3)), ...framed(Uint8Array.of(4, 5))]) socket.write(Uint8Array.of(octet))
  const got: Uint8Array[] = []
  const incoming = new Unframer(100)
  for await (const data of socket) {
    got.push(...incoming.push(data as Uint8Array))
    if (got.length === 2) break
  }
  expect(got).toEqual([Uint8Array.of(3), Uint8Array.of(4, 5)])
})

test('a reply that does not fit a datagram is replaced', async () => {
  await using server = await listen(() => new Uint8Array(500).fill(1), { tooBig, maxDatagram: 400 })
  expect(await byUdp(server.port, Uint8Array.of(1))).toEqual(Uint8Array.of(52))
})

test.each([
  ['what is no request', framed(Uint8Array.of(0))],
  ['a length that nobody could mean', Uint8Array.of(0x7f, 0xff, 0xff, 0xff)],
])('a connection ends after %s, and the listener goes on', async (_, octets) => {
  await using server = await listen(echo, { tooBig })
  const socket = connect(server.port, '127.0.0.1')
  socket.write(octets)
  await once(socket, 'close')
  expect(await byUdp(server.port, Uint8Array.of(7))).toEqual(Uint8Array.of(7))
})

test('a silent connection is closed, and so is every one with the listener', async () => {
  const server = await listen(echo, { tooBig, idle: 50 })
  const idle = connect(server.port, '127.0.0.1')
  await once(idle, 'close')
  await server[Symbol.asyncDispose]()
  const refused = connect(server.port, '127.0.0.1')
  const [error] = await once(refused, 'error')
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
})

/** Peers on the way to the KDC that forge, swell and dawdle: RFC 4120 §7.2, by real sockets, with a login that is to end. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { framed } from '../../src/krb5/framing.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'
import { runOverSockets, Sockets, type Suffered, suffer } from '../support/hostile.ts'
import { krbError, PASSWORD, REALM, scriptedKdc, TIME } from '../support/scriptedkdc.ts'

/** The deadline that runOverSockets sets, and what the machine may add to it. */
const DEADLINE = 1
const GRACE = 2
const MEBIBYTES = 32

const client = parsePrincipal('alice', { realm: REALM })
const login = (kdc: string) =>
  suffer(() =>
    runOverSockets(
      asExchange({ client, secret: passwordSecret(client, PASSWORD), lifetime: 3600 }, fixedEnv(TIME)),
      kdc,
    ),
  )

function expectGivenUp({ error, seconds, mebibytes }: Suffered, reason?: RegExp) {
  expect(error).toMatchObject({ name: 'TransportError', realm: REALM })
  if (reason) expect(String(error)).toMatch(reason)
  expect(seconds).toBeLessThan(DEADLINE + GRACE)
  expect(mebibytes).toBeLessThan(MEBIBYTES)
}

describe('datagrams', () => {
  test('from another address than the one asked are not heard, whatever they say', async () => {
    await using sockets = new Sockets()
    const forged = krbError({ code: 6 })
    let sent = 0
    const kdc = await sockets.udp((request, from, socket) => {
      // The stranger is quicker than the KDC: from another port, and from another address of the same port.
      for (const address of ['127.0.0.1', '127.0.0.2']) {
        const stranger = createSocket('udp4')
        stranger.bind(address === '127.0.0.1' ? 0 : socket.address().port, address, () =>
          stranger.send(forged, from.port, from.address, () => {
            sent++
            stranger.close()
          }),
        )
      }
      setTimeout(() => socket.send(scriptedKdc(request), from.port, from.address), 50)
    })
    const { error } = await login(`udp/127.0.0.1:${kdc}`)
    expect(error).toBeUndefined()
    expect(sent).toBe(4)
  })

  test('that are no answer, in a flood, do not keep the login busy past its deadline', async () => {
    await using sockets = new Sockets()
    const junk = new Uint8Array(1400)
    let stop = false
    const kdc = await sockets.udp((_, from, socket) => {
      const flood = () => {
        if (stop) return
        for (let i = 0; i < 20; i++) socket.send(junk, from.port, from.address)
        setTimeout(flood, 1)
      }
      flood()
    })
    const suffered = await login(`udp/127.0.0.1:${kdc}`)
    stop = true
    expectGivenUp(suffered, /no reply of a KDC/)
  })

  test('that send the client to TCP, where nobody listens', async () => {
    await using sockets = new Sockets()
    const kdc = await sockets.udp((_, from, socket) => {
      socket.send(krbError({ code: 52 }), from.port, from.address)
    })
    expectGivenUp(await login(`127.0.0.1:${kdc}`), /KRB_ERR_RESPONSE_TOO_BIG.*refused/)
  })
})

describe('a stream', () => {
  const attack = async (behave: (socket: Socket, request: Uint8Array) => void) => {
    await using sockets = new Sockets()
    return await login(`tcp/127.0.0.1:${await sockets.tcp(behave)}`)
  }
  const announce = (length: number) => Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length)

  test.each([
    ['4 GiB', 2 ** 32 - 1],
    ['2 GiB', 2 ** 31 - 1],
    ['8 MiB and one', 2 ** 23 + 1],
  ])('that announces %s is left at once', async (_, length) => {
    const suffered = await attack((socket) => socket.write(announce(length)))
    expectGivenUp(suffered, /is announced/)
    expect(suffered.seconds).toBeLessThan(DEADLINE / 2)
  })

  test('that announces as much as is allowed, and sends little of it, costs no more than what came', async () => {
    const suffered = await attack((socket) => socket.write(Uint8Array.of(...announce(2 ** 23), 0x6b)))
    expectGivenUp(suffered, /only 1 of 8388608 octets came in time/)
    expect(suffered.mebibytes).toBeLessThan(8)
  })

  test.each([
    ['the length', 0],
    ['the message', 5],
  ])('that drips octet by octet within %s does not outlast the deadline', async (_, start) => {
    const suffered = await attack((socket, request) => {
      const reply = framed(scriptedKdc(request.subarray(4)))
      socket.write(reply.subarray(0, start))
      let at = start
      const timer = setInterval(() => {
        if (socket.destroyed || at >= reply.length) clearInterval(timer)
        else socket.write(reply.subarray(at, ++at))
      }, 250)
    })
    expectGivenUp(suffered, /octets/)
  })

  test('that never ends, of answers that are none', async () => {
    const block = framed(new Uint8Array(60_000))
    const suffered = await attack((socket) => {
      const pour = () => {
        while (!socket.destroyed && socket.write(block));
      }
      socket.on('drain', pour)
      pour()
    })
    expectGivenUp(suffered, /no reply of a KDC/)
  })

  test('that takes the request and says nothing', async () => {
    expectGivenUp(await attack(() => undefined), /no answer/)
  })
})

/** What a KCM daemon may do to us: nothing worse than an error that names it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../src/bytes/index.ts'
import { CredentialCaches } from '../../src/node/caches/caches.ts'
import { KcmConnection } from '../../src/node/caches/kcmsocket.ts'
import { KCM_MAX_REPLY, kcmOperations, kcmStatus } from '../../src/store/kcm.ts'
import { framedReply, listenRaw } from '../support/kcmdaemon.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-kcm-'))
const servers: Server[] = []
const sockets: Socket[] = []
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})
let count = 0
const fresh = () => join(folder, `socket${count++}`)

const daemon = async (reply: (request: Uint8Array, socket: Socket) => Uint8Array | undefined) => {
  const path = fresh()
  const server = await listenRaw(path, reply)
  server.on('connection', (socket) => void sockets.push(socket))
  servers.push(server)
  return path
}
const header = (size: number) => concat(new Uint8Array([size >>> 24, size >>> 16, size >>> 8, size]), new Uint8Array(4))
const hangUp =
  (last = new Uint8Array(0)) =>
  (_: Uint8Array, socket: Socket) => {
    socket.end(last)
    return undefined
  }
const ask = async (path: string) => {
  const kcm = await KcmConnection.open(path, 300)
  try {
    return await kcm.ask('defaultCache')
  } finally {
    await kcm[Symbol.asyncDispose]()
  }
}

describe('a KCM daemon', () => {
  test.each([
    ['that announces too much', () => header(KCM_MAX_REPLY + 1), /announces 10485761 octets, 10485760 are the limit/],
    ['that says nothing', () => undefined, /does not answer within 0\.3 s/],
    ['that stops in the middle', () => header(100), /does not answer within 0\.3 s/],
    ['that announces less than a status', () => concat(header(2), new Uint8Array(2)), /reply cannot be read/],
    ['that hangs up', hangUp(), /closed the connection/],
    ['that hangs up in the middle', hangUp(header(100)), /closed the connection/],
  ] as const)('%s is named', async (_, reply, message) => {
    await expect(ask(await daemon(reply))).rejects.toMatchObject({ name: 'StoreError', message })
  })

  test('that floods is given up', async () => {
    const path = await daemon((_, socket) => {
      const piece = new Uint8Array(1 << 20)
      for (let i = 0; i < 32; i++) socket.write(piece)
      return undefined
    })
    await expect(
      (async () => {
        const kcm = await KcmConnection.open(path, 300)
        try {
          for (let i = 0; i < 1e6; i++) await kcm.ask('defaultCache')
        } finally {
          await kcm[Symbol.asyncDispose]()
        }
      })(),
    ).rejects.toMatchObject({ name: 'StoreError' })
  })

  test('that is not there, and what is no socket, are named with the way out', async () => {
    const wayOut = {
      name: 'StoreError',
      message: /there is no such socket; start it .*kcm_socket.*FILE:path in KRB5CCNAME/,
    }
    await expect(new CredentialCaches({ defaultName: 'KCM:', kcmSocket: fresh() }).resolve()).rejects.toMatchObject(
      wayOut,
    )
    const path = fresh()
    writeFileSync(path, '')
    await expect(ask(path)).rejects.toMatchObject({ message: /nobody listens there|no socket/ })
  })

  test.each([
    ['ids that are cut short', kcmOperations.cacheIds, new Uint8Array(17), /reply cannot be read/],
    ['a cache without a name', kcmOperations.cacheById, new Uint8Array(1), /gives no name/],
    ['a name without an end', kcmOperations.cacheById, utf8('name'), /gives no name/],
    ['a name that is no UTF-8', kcmOperations.cacheById, new Uint8Array([0xff, 0]), /not UTF-8/],
    [
      'a principal of too many components',
      kcmOperations.principal,
      new Uint8Array(64).fill(0x7f),
      /reply cannot be read/,
    ],
    [
      'more credentials than octets',
      kcmOperations.credentialList,
      new Uint8Array([0, 0, 0, 9]),
      /reply cannot be read/,
    ],
    ['a million credentials', kcmOperations.credentialList, new Uint8Array([0, 15, 66, 64]), /1000000 credentials/],
  ])('that gives %s is refused', async (_, operation, result, message) => {
    const good: Record<number, Uint8Array> = {
      [kcmOperations.cacheIds]: new Uint8Array(16),
      [kcmOperations.cacheById]: utf8('0\0'),
      [kcmOperations.defaultCache]: utf8('0\0'),
      [kcmOperations.principal]: new Uint8Array(12),
      [kcmOperations.clockOffset]: new Uint8Array(4),
      [operation]: result,
    }
    const kcmSocket = await daemon((request) => {
      const answer = good[(request[2]! << 8) | request[3]!]
      return answer ? framedReply(kcmStatus.ok, answer) : framedReply(kcmStatus.internal)
    })
    const caches = new CredentialCaches({ defaultName: 'KCM:', kcmSocket })
    const use = async () => {
      for (const cache of await caches.collection().list()) await cache.read()
    }
    await expect(use()).rejects.toMatchObject({ name: 'StoreError', message: expect.stringMatching(message) })
  })

  test('whose refusal has a number says it, and the transport may refuse as well', async () => {
    const refusing = await daemon(() => framedReply(-1_765_328_190))
    const caches = new CredentialCaches({ defaultName: 'KCM:0', kcmSocket: refusing })
    await expect((await caches.resolve()).read()).rejects.toThrow(/refuses principal of KCM:0: it is not for this user/)
    const odd = await daemon(() => concat(new Uint8Array(7), Uint8Array.of(42)))
    await expect(
      (await new CredentialCaches({ defaultName: 'KCM:0', kcmSocket: odd }).resolve()).destroy(),
    ).rejects.toThrow(/status 42/)
    await expect(new CredentialCaches({ defaultName: 'KCM:a\0b' }).resolve()).rejects.toThrow(TypeError)
  })
})

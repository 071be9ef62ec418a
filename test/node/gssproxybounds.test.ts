/** What peers of GSS-Proxy's sockets can take up is bounded, and one of them keeps no other waiting. */
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { procedures } from '../../src/gssproxy/procedures.ts'
import { formatCall, parseReply } from '../../src/gssproxy/rpc.ts'
import { gssProxyServer } from '../../src/gssproxy/server.ts'
import type { ProxyService } from '../../src/gssproxy/service.ts'
import { encode } from '../../src/gssproxy/xdr.ts'
import { marked } from '../../src/krb5/framing.ts'
import {
  GSSPROXY_MAX_MESSAGE,
  type GssProxyListening,
  listenGssProxy,
  MAX_PENDING,
} from '../../src/node/gssproxy/listen.ts'
import { KerberosService } from '../../src/node/gssproxy/service.ts'
import { MemoryVault } from '../../src/node/gssproxy/vault.ts'
import { random } from '../../src/node/random.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { now } from '../../src/node/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'gssproxy-'))
const path = join(folder, 'web.sock')
let realm: Realm
let service: ProxyService
let listening: GssProxyListening

beforeAll(async () => {
  realm = await startRealm({ services: ['HTTP/localhost'] })
  service = new KerberosService(realm.kerberos(), { name: 'web', keytab: realm.keytab('HTTP/localhost') })
  listening = await listenGssProxy(gssProxyServer({ vault: new MemoryVault(), now, random }), [{ path, service }])
})
afterAll(async () => {
  await listening[Symbol.asyncDispose]()
  await realm[Symbol.asyncDispose]()
})
const open: Socket[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})
const peer = (where = path): Socket => {
  const socket = connect({ path: where })
  open.push(socket)
  return socket.on('error', () => undefined)
}
const calling = (name: 'INDICATE_MECHS' | 'ACQUIRE_CRED'): Uint8Array => {
  const { number, args } = procedures[name]
  return marked(formatCall(5, number, name === 'ACQUIRE_CRED' ? acquireArgs : encode(args, args.empty as never)))
}
const acquireArgs = encode(procedures.ACQUIRE_CRED.args, { ...procedures.ACQUIRE_CRED.args.empty, credUsage: 'accept' })
/** Octets of the results; 0 when it is hung up on. */
async function answered(octets: Uint8Array, where = path): Promise<number> {
  const socket = peer(where)
  const closed = new Promise<undefined>((resolve) => socket.on('close', () => resolve(undefined)))
  socket.write(octets)
  const reply = await Promise.race([new Promise<Uint8Array>((resolve) => socket.on('data', resolve)), closed])
  socket.destroy()
  if (!reply) return 0
  return parseReply(new Uint8Array(reply).subarray(4), 5).length
}

test(`${MAX_PENDING / GSSPROXY_MAX_MESSAGE} megabytes of messages that have begun are kept, and no more`, async () => {
  const begun = new Uint8Array(GSSPROXY_MAX_MESSAGE)
  begun.set([0x80, 0x10, 0, 0])
  const sockets = Array.from({ length: MAX_PENDING / GSSPROXY_MAX_MESSAGE + 8 }, () => peer())
  for (const socket of sockets) await new Promise((sent) => socket.write(begun, sent))
  await sleep(100)
  const hungUp = sockets.filter((socket) => socket.closed || socket.destroyed)
  expect(hungUp.length).toBeGreaterThanOrEqual(8)
  for (const socket of sockets) socket.destroy()
  await sleep(20)
  expect(await answered(calling('INDICATE_MECHS'))).toBeGreaterThan(100)
})

test('connections are taken up to their limit; when some are gone there is room', async () => {
  const few = join(folder, 'few.sock')
  const server = gssProxyServer({ vault: new MemoryVault(), now, random })
  await using _daemon = await listenGssProxy(server, [{ path: few, service, maxConnections: 10 }])
  const sockets = Array.from({ length: 10 }, () => peer(few))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const late = peer(few)
  await new Promise((closed) => late.on('close', closed))
  for (const socket of sockets) socket.destroy()
  await expect.poll(() => answered(calling('INDICATE_MECHS'), few), { timeout: 20_000 }).toBeGreaterThan(100)
})

test('a call that waits for a KDC keeps nobody waiting, and its caller may leave', async () => {
  let fail: (reason: Error) => void = () => undefined
  const promise = new Promise<never>((_, reject) => (fail = reject))
  let asked = 0
  const slow: ProxyService = Object.assign(Object.create(service), {
    acquire: () => {
      asked++
      return promise
    },
  })
  const slowPath = join(folder, 'slow.sock')
  const server = gssProxyServer({ vault: new MemoryVault(), now, random })
  await using _daemon = await listenGssProxy(server, [{ path: slowPath, service: slow }])
  const [waiting, leaving, other] = [1, 2, 3].map(() => connect({ path: slowPath }).on('error', () => undefined))
  waiting!.write(calling('ACQUIRE_CRED'))
  leaving!.write(calling('ACQUIRE_CRED'))
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(2)
  leaving!.destroy()
  other!.write(calling('INDICATE_MECHS'))
  await once(other!, 'data')
  fail(new TypeError('the KDC is out of order'))
  const [reply] = (await once(waiting!, 'data')) as [Uint8Array]
  // SYSTEM_ERR: what nobody foresaw
  expect(() => parseReply(new Uint8Array(reply).subarray(4), 5)).toThrow('SYSTEM_ERR')
  for (const socket of [waiting!, other!]) socket.destroy()
})

test('answers that are not taken do not pile up: a peer is served one at a time', async () => {
  const socket = peer()
  const many = calling('INDICATE_MECHS')
  let sent = 0
  const until = Date.now() + 1000
  // a peer that asks and asks, and never reads
  socket.pause()
  while (
    Date.now() < until &&
    (socket.write(many) || (await Promise.race([once(socket, 'drain'), sleep(200, 'stuck')])) !== 'stuck')
  )
    sent++
  expect(socket.writableLength).toBeGreaterThan(0)
  expect(sent).toBeLessThan(100_000)
  expect(await answered(many)).toBeGreaterThan(100)
})

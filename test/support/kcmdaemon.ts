/** A KCM daemon in this process, with or without MIT's extensions, or one that answers whatever a test wants. */
import { createServer, type Socket } from 'node:net'
import { OctetReader, OctetWriter } from '../../src/bytes/cursor.ts'
import { concat, utf8 } from '../../src/bytes/index.ts'
import { samePrincipal } from '../../src/krb5/names.ts'
import type { CacheContents } from '../../src/store/ccache.ts'
import { formatCcacheEntry, readEntry } from '../../src/store/ccacheentry.ts'
import { kcmOperations, kcmPrincipal, kcmStatus } from '../../src/store/kcm.ts'
import { readData, readPrincipal, writeData } from '../../src/store/records.ts'

type Answer = readonly [status: number, result?: Uint8Array]
type Operation = (reader: OctetReader, name: string) => Answer

/** Listens on a socket and answers with `reply`, which gives whole octets, to each request. */
export async function listenRaw(path: string, reply: (request: Uint8Array, socket: Socket) => Uint8Array | undefined) {
  const server = createServer((socket) => {
    let received: Uint8Array = new Uint8Array(0)
    socket.on('error', () => undefined)
    socket.on('data', (octets) => {
      received = concat(received, octets)
      while (received.length >= 4) {
        const size = new DataView(received.buffer).getUint32(0)
        if (received.length < 4 + size) return
        const answer = reply(received.slice(4, 4 + size), socket)
        received = received.slice(4 + size)
        if (answer) socket.write(answer)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

/** A reply with its frame. */
export const framedReply = (status: number, result: Uint8Array = new Uint8Array(0)): Uint8Array =>
  new OctetWriter()
    .uint32(4 + result.length)
    .uint32(0)
    .uint32(status)
    .octets(result)
    .finish()

/** Starts a daemon that keeps caches. */
export function startDaemon(path: string, { extensions }: { readonly extensions: boolean }) {
  const caches = new Map<string, CacheContents>()
  let primary = '0'
  const named = utf8
  const id = (at: number) => new Uint8Array(16).fill(at)
  const entriesOf = (name: string) => caches.get(name)!.entries
  const change = (name: string, contents: Partial<CacheContents>): Answer => {
    caches.set(name, { ...caches.get(name)!, ...contents })
    return [kcmStatus.ok]
  }
  const nameAnswer = (name: string): Answer => [kcmStatus.ok, named(`${name}\0`)]
  const list = (reader: OctetReader) =>
    Array.from({ length: reader.uint32() }, () => readEntry(new OctetReader(readData(reader)), 4))

  const operations: Record<number, Operation> = {
    [kcmOperations.generateNew]: () => nameAnswer(`0:${caches.size}`),
    [kcmOperations.defaultCache]: () => nameAnswer(primary),
    [kcmOperations.cacheIds]: () => [kcmStatus.ok, concat(...[...caches.keys()].map((_, at) => id(at)))],
    [kcmOperations.cacheById]: (reader) => nameAnswer([...caches.keys()][reader.uint8()]!),
    [kcmOperations.initialize]: (reader, name) => {
      caches.set(name, { principal: readPrincipal(reader, 4), clockOffset: 0, entries: [] })
      return [kcmStatus.ok]
    },
  }
  /** Those that need a cache to be there. */
  const onCaches: Record<number, Operation> = {
    [kcmOperations.setDefaultCache]: (_, name) => {
      primary = name
      return [kcmStatus.ok]
    },
    [kcmOperations.destroy]: (_, name) => [caches.delete(name) ? kcmStatus.ok : kcmStatus.noCache],
    [kcmOperations.principal]: (_, name) => [kcmStatus.ok, kcmPrincipal(caches.get(name)!.principal)],
    [kcmOperations.store]: (reader, name) => change(name, { entries: [...entriesOf(name), readEntry(reader, 4)] }),
    [kcmOperations.credentialIds]: (_, name) => [kcmStatus.ok, concat(...entriesOf(name).map((_, at) => id(at)))],
    [kcmOperations.credentialById]: (reader, name) => [
      kcmStatus.ok,
      formatCcacheEntry(entriesOf(name)[reader.uint8()]!),
    ],
    [kcmOperations.removeCredential]: (reader, name) => {
      reader.octets(8)
      readPrincipal(reader, 4)
      const server = readPrincipal(reader, 4)
      return change(name, { entries: entriesOf(name).filter((entry) => !samePrincipal(entry.server, server)) })
    },
    [kcmOperations.clockOffset]: (_, name) => [
      kcmStatus.ok,
      new OctetWriter().uint32(caches.get(name)!.clockOffset / 1e6).finish(),
    ],
    [kcmOperations.setClockOffset]: (reader, name) => change(name, { clockOffset: reader.int32() * 1e6 }),
  }
  const ofMit: Record<number, Operation> = {
    [kcmOperations.credentialList]: (_, name) => {
      const writer = new OctetWriter().uint32(entriesOf(name).length)
      for (const entry of entriesOf(name)) writeData(writer, formatCcacheEntry(entry))
      return [kcmStatus.ok, writer.finish()]
    },
    [kcmOperations.replace]: (reader, name) => {
      const clockOffset = reader.int32() * 1e6
      caches.set(name, { clockOffset, principal: readPrincipal(reader, 4), entries: list(reader) })
      return [kcmStatus.ok]
    },
  }
  const nameless: readonly number[] = [
    ...[kcmOperations.generateNew, kcmOperations.defaultCache, kcmOperations.cacheIds, kcmOperations.cacheById],
  ]

  return listenRaw(path, (request) => {
    const reader = new OctetReader(request)
    reader.uint16()
    const number = reader.uint16()
    let name = ''
    if (!nameless.includes(number))
      for (let octet = reader.uint8(); octet !== 0; octet = reader.uint8()) name += String.fromCharCode(octet)
    const operation = operations[number] ?? onCaches[number] ?? (extensions ? ofMit[number] : undefined)
    if (!operation) return framedReply(kcmStatus.internal)
    const needsCache = !operations[number] && number !== kcmOperations.replace && !caches.has(name)
    return framedReply(...(needsCache ? ([kcmStatus.noCache] as Answer) : operation(reader, name)))
  })
}

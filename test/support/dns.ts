/** A name server of a few lines on loopback: UDP, and TCP for what does not fit. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet'

/** What a name has: `priority weight port target` of SRV, `priority weight target` of URI, texts of TXT. */
export interface Names {
  readonly [name: string]: {
    readonly srv?: readonly string[]
    readonly uri?: readonly string[]
    readonly txt?: readonly string[]
  }
}

export interface NameServer extends AsyncDisposable {
  /** For `dnsServers`. */
  readonly address: string
  /** `SRV _kerberos._udp.lab.test`, as it was asked. */
  readonly asked: readonly string[]
}

/** Starts it; with `truncate` datagrams never hold the answer, with `rcode` every answer is that failure. */
export async function startDns(names: Names, { truncate = false, rcode = 0 } = {}): Promise<NameServer> {
  const asked: string[] = []
  const reply = (query: Buffer, byUdp: boolean): Buffer => {
    const { id = 0, questions = [] } = decode(query)
    const [question] = questions
    if (!question) return Buffer.alloc(0)
    const kind = `${question.type}` === 'UNKNOWN_256' ? 'URI' : question.type
    if (byUdp) asked.push(`${kind} ${question.name}`)
    const answers = rcode ? [] : answersOf(question.name, kind, names)
    const missing = Object.keys(names).every((name) => name.toLowerCase() !== question.name.toLowerCase())
    const cut = truncate && byUdp && answers.length > 0
    const flags = AUTHORITATIVE_ANSWER | (cut ? TRUNCATED_RESPONSE : 0) | (rcode || (missing ? 3 : 0))
    return encode({ type: 'response', id, flags, questions: [question], answers: cut ? [] : answers })
  }
  for (;;) {
    const tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.on('data', (data) => {
        streamDecode(data) // throws for anything but one whole query, which is all that tests send
        socket.end(streamEncode(decode(reply(data.subarray(2), false))))
      })
    })
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket('udp4')
    udp.on('message', (query, from) => udp.send(reply(query, true), from.port, from.address))
    udp.bind(port, '127.0.0.1')
    const bound = await Promise.race([
      once(udp, 'listening').then(
        () => true,
        () => false,
      ),
    ])
    if (!bound) {
      tcp.close()
      continue
    }
    const close = async () => {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    }
    return { address: `127.0.0.1:${port}`, asked, [Symbol.asyncDispose]: close }
  }
}

function answersOf(name: string, kind: string, names: Names): Answer[] {
  const [, has = {}] = Object.entries(names).find(([known]) => known.toLowerCase() === name.toLowerCase()) ?? []
  const URI = 'UNKNOWN_256' as string as 'NULL'
  if (kind === 'SRV')
    return (has.srv ?? []).map((text) => {
      const [priority = 0, weight = 0, port = 0] = text.split(' ').map(Number)
      return { type: 'SRV', name, ttl: 1, data: { priority, weight, port, target: text.split(' ')[3] ?? '.' } }
    })
  if (kind === 'TXT') return (has.txt ?? []).map((data) => ({ type: 'TXT', name, ttl: 1, data }))
  if (kind !== 'URI') return []
  return (has.uri ?? []).map((text) => {
    const [, priority, weight, target = ''] = /^(\d+) (\d+) (.*)$/.exec(text) ?? []
    const head = Buffer.alloc(4)
    head.writeUInt16BE(Number(priority), 0)
    head.writeUInt16BE(Number(weight), 2)
    return { type: URI, name, ttl: 1, data: Buffer.concat([head, Buffer.from(target, 'latin1')]) }
  })
}

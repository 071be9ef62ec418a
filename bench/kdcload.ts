/** Requests to a KDC, made beforehand, and their way to it and back. @module */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { decode } from '../src/asn1/codec.ts'
import { enctypes } from '../src/crypto/enctypes/table.ts'
import { Key } from '../src/crypto/key.ts'
import { run } from '../src/effects/index.ts'
import { type AsRequest, asExchange } from '../src/krb5/exchanges/as.ts'
import { tgsExchange } from '../src/krb5/exchanges/tgs.ts'
import { messageTypes } from '../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../src/krb5/messages/error.ts'
import { parsePrincipal } from '../src/krb5/names.ts'
import { encryptedTimestamp } from '../src/krb5/preauth/timestamp/client.ts'
import type { KrbExchange, KrbQuestions } from '../src/krb5/questions.ts'
import { defaultSalt, keysSecret } from '../src/krb5/secret.ts'
import { random } from '../src/node/random.ts'
import { now } from '../src/node/world.ts'
import { LabError } from '../test/lab/process.ts'

/** Who logs in where, for what: there in the lab's realm and in ours. */
export const [REALM, CLIENT, PASSWORD, SERVICE] = [
  'LAB.TEST',
  'alice',
  'alice-pw',
  'e-aes256-sha1-96/localhost',
] as const

/** A KDC under load. */
export interface Loaded {
  readonly host: string
  readonly port: number
  readonly pid: number
}

/** `as` is a login by encrypted timestamp, whose first request has the proof; `tgs` a ticket bought with that one's. */
export type Load = 'as' | 'tgs'

/** Requests that are under way at once. */
const WINDOW = 8
/** Milliseconds without any reply after which the KDC is given up. */
const SILENCE = 5000
/** A tick of /proc/PID/stat in milliseconds: USER_HZ is 100 wherever Linux runs. */
const TICK = 10

const env = { now, random, enctypes }
const client = parsePrincipal(CLIENT, { realm: REALM })
const service = parsePrincipal(SERVICE, { realm: REALM })
const key = Key.fromPassword(enctypes[0]!, PASSWORD, defaultSalt(client))
const login: AsRequest = {
  ...{ client, secret: keysSecret(client, [key]), lifetime: 3600, preauth: [encryptedTimestamp], onChance: true },
}

/** What makes requests of `load` to this KDC. Throws KrbError and LabError. */
export async function requestsFor(kdc: Loaded, load: Load): Promise<() => Uint8Array> {
  if (load === 'as') return () => firstMessage(asExchange(login, env))
  const { credential: tgt } = await run<
    KrbQuestions,
    { readonly credential: Parameters<typeof tgsExchange>[0]['tgt'] }
  >(asExchange(login, env), {
    send: async ({ message }) => ({ message: (await exchanged(kdc, [message]))[0]!, kdc: 'under load' }),
    ...{ prompt: unasked, replay: unasked, keep: unasked, compute: unasked },
  })
  return () => firstMessage(tgsExchange({ tgt, service }, env))
}

const unasked = (): never => {
  throw new LabError('a client under load asks nothing but the KDC')
}

function firstMessage(exchange: KrbExchange<unknown>): Uint8Array {
  const step = exchange.next()
  exchange.return(undefined)
  if (step.done || step.value.kind !== 'send') throw new LabError('the exchange sends no request')
  return step.value.ask.message
}

/** Sends `requests` by UDP, and gives back the replies in the order they came. Throws LabError for refusals and silence. */
export async function exchanged(
  { host, port }: Loaded,
  requests: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  const socket = createSocket('udp4')
  socket.connect(port, host)
  await once(socket, 'connect')
  const replies: Uint8Array[] = []
  let next = 0
  const send = () => next < requests.length && socket.send(requests[next++]!)
  try {
    await new Promise<void>((resolve, reject) => {
      const silent = setTimeout(() => reject(new LabError(`${replies.length} replies, then silence`)), SILENCE)
      socket.on('error', reject)
      socket.on('message', (reply) => {
        silent.refresh()
        replies.push(reply)
        if (reply[0] === (0x60 | messageTypes.error))
          reject(new LabError(decode(KrbErrorMessage, reply).eText ?? 'refused'))
        if (replies.length < requests.length) return send()
        clearTimeout(silent)
        resolve()
      })
      for (let i = 0; i < WINDOW; i++) send()
    })
  } finally {
    socket.close()
  }
  return replies
}

/** CPU time that a process has taken with all its threads, in milliseconds, to a hundredth of a second. */
export function cpuOf({ pid }: Pick<Loaded, 'pid'>): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

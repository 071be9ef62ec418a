import type { SecurityContext } from '../../src/gss/context.ts'
import type { Figure, Group } from '../figure.ts'
import { type Contexts, type Parties, partiesFor } from '../parties.ts'

/** Octets of the messages that are sealed, as people say them. */
const sizes = { '100 B': 100, '1 KiB': 1 << 10, '16 KiB': 1 << 14, '1 MiB': 1 << 20 }

/** Sealed messages of an established context (RFC 4121 §4.2.6.2), aes256-cts-hmac-sha1-96, replays and disorder detected. */
export const messages: Group = {
  name: 'messages',
  everyProvider: true,
  async figures(subject) {
    const parties = await partiesFor(subject, 'withoutPac')
    const figures: Figure[] = []
    for (const [size, octets] of Object.entries(sizes)) {
      const message = new Uint8Array(octets)
      figures.push(wrapping(size, message, await parties.establish()))
      figures.push(unwrapping(size, message, await parties.establish(), parties))
    }
    return figures
  },
}

const wrapping = (size: string, message: Uint8Array, { initiator }: Contexts): Figure => ({
  name: `wrap, ${size}`,
  unit: 'MB/s',
  octets: message.length,
  peers: [{ mit: `wrap ${message.length}` }],
  work: {
    run(count) {
      for (let i = 0; i < count; i++) initiator.wrap(message)
    },
  },
})

/**
 * Each token is opened once and in order, as the context would have it; for the next sample the acceptor is back where it
 * began. Tokens made anew would leave garbage of the sender's to be collected on the receiver's time.
 */
function unwrapping(size: string, message: Uint8Array, { initiator, acceptor }: Contexts, parties: Parties): Figure {
  const begun = acceptor.export()
  const tokens = [initiator.wrap(message).message]
  let receiver: SecurityContext | undefined
  let end = 0
  return {
    name: `unwrap, ${size}`,
    unit: 'MB/s',
    octets: message.length,
    peers: [{ mit: `unwrap ${message.length}` }],
    work: {
      prepare(count) {
        end = count + 1
        while (tokens.length < end) tokens.push(initiator.wrap(message).message)
        receiver?.[Symbol.dispose]()
        receiver = parties.imported(begun)
        receiver.unwrap(tokens[0]!) // derives the keys, and has the runtime make its ciphers
      },
      run() {
        for (let i = 1; i < end; i++) receiver!.unwrap(tokens[i]!)
      },
    },
  }
}

import type { Figure, Group } from '../figure.ts'
import { type Contexts, partiesFor } from '../parties.ts'

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
      figures.push(unwrapping(size, message, await parties.establish()))
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

/** Each token is opened once and in order, as the context would have it. */
function unwrapping(size: string, message: Uint8Array, { initiator, acceptor }: Contexts): Figure {
  let tokens: readonly Uint8Array[] = []
  return {
    name: `unwrap, ${size}`,
    unit: 'MB/s',
    octets: message.length,
    peers: [{ mit: `unwrap ${message.length}` }],
    work: {
      prepare(count) {
        tokens = Array.from({ length: count }, () => initiator.wrap(message).message)
      },
      run() {
        for (const token of tokens) acceptor.unwrap(token)
      },
    },
  }
}

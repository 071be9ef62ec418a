import type { Figure, Group } from '../figure.ts'
import { type Parties, partiesFor } from '../parties.ts'

/** Contexts of the krb5 mechanism with mutual authentication: initiate, accept, complete; stores and replay cache in memory. */
export const handshake: Group = {
  name: 'handshake',
  everyProvider: true,
  async figures(subject) {
    const figures = [figure('without PAC', await partiesFor(subject, 'withoutPac'))]
    if (subject.mit) figures.unshift(figure('with PAC', await partiesFor(subject, 'withPac')))
    return figures
  },
}

const figure = (ticket: string, parties: Parties): Figure => ({
  name: `handshake, ticket ${ticket}`,
  unit: '1/s',
  // So much code takes V8 seconds to compile.
  warmUp: 6000,
  peers: [{ mit: `handshake ${parties.service}` }],
  work: {
    async run(count) {
      for (let i = 0; i < count; i++) {
        const { initiator, acceptor } = await parties.establish()
        initiator[Symbol.dispose]()
        acceptor[Symbol.dispose]()
      }
    },
  },
})

/** The servers of a throw-away realm: its KDC, and where passwords are changed. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { settle } from '../effects/index.ts'
import type { Faults, InjectedFaults } from '../kdc/faults.ts'
import { computing, createKdc, type KdcFunction, type KdcOptions } from '../kdc/kdc.ts'
import { createKpasswd, type KpasswdOptions } from '../kdc/kpasswd.ts'
import { shifted } from '../krb5/env.ts'
import type { KrbQuestions } from '../krb5/questions.ts'
import { type Arrival, type Handler, type ListenOptions, listen } from './listen.ts'

/** Where both can be reached, until `stop`. */
export interface RealmServers {
  readonly host: string
  readonly port: number
  readonly kpasswdPort: number
  stop(): Promise<void>
}

/** Has both listen, at one host. Rejects with what listening rejects with. */
export async function serveRealm(
  kdc: KdcOptions & Pick<KpasswdOptions, 'database'>,
  passwords: Partial<KpasswdOptions>,
  faults: InjectedFaults,
  address: Pick<ListenOptions, 'host' | 'port' | 'maxDatagram'>,
): Promise<RealmServers> {
  const flawless = createKdc(kdc)
  const { tooBig } = flawless
  const listening = await listen(suffering(kdc, flawless, faults), { ...address, tooBig })
  const { host, port } = listening
  const { realm, database, env } = kdc
  const changing = await listen(sufferingChanges({ realm, database, env, ...passwords }, faults), { host, tooBig })
  return {
    ...{ host, port, kpasswdPort: changing.port },
    async stop() {
      await Promise.all([listening[Symbol.asyncDispose](), changing[Symbol.asyncDispose]()])
      flawless[Symbol.dispose]()
    },
  }
}

/** A KDC with the faults of the moment, each of which makes another one of it. */
function suffering(options: KdcOptions, flawless: KdcFunction, injected: InjectedFaults): Handler {
  const suffer = async (faults: Faults, request: Uint8Array, arrival: Arrival) => {
    if (faults.delay !== undefined) await sleep(faults.delay, undefined, { ref: false })
    if (faults.drop) return undefined
    if (faults.tooBig && arrival.carrier === 'udp') return flawless.tooBig()
    using flawed = createKdc({ ...options, faults })
    return await flawed.respond(request, arrival)
  }
  return (request, arrival) => {
    const faults = injected.next(request)
    return faults
      ? suffer(faults, request, arrival)
      : settle<KrbQuestions, Uint8Array | undefined>(flawless.answer(request, arrival), computing)
  }
}

/** The same for a password server. */
function sufferingChanges(options: KpasswdOptions, injected: InjectedFaults): Handler {
  const flawless = createKpasswd(options)
  return async (request, { address, carrier }) => {
    const faults = injected.next(request, 'kpasswd')
    if (!faults) return flawless.handle(request, address)
    if (faults.delay !== undefined) await sleep(faults.delay, undefined, { ref: false })
    if (faults.drop || (faults.tooBig && carrier === 'udp')) return undefined
    const env = shifted(options.env, (faults.skew ?? 0) * 1e6)
    return createKpasswd({ ...options, env, faults })
      .handle(request, address)
      ?.subarray(0, faults.truncate)
  }
}

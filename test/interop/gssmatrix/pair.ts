/** A context between ours and somebody else's library, whoever begins. */
import { type ChannelBindings, type Credentials, flagMask, type GssFlag, Name, SecurityContext } from 'kerb/gss'
import type { Kerberos } from 'kerb/node'
import { expect } from 'vitest'
import { gssPeerProgram, keytab, program, run } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { kerberosOf } from '../../support/contexts.ts'
import { GssPeer } from '../../support/gsspeer.ts'
import { freshEnv } from '../../support/kerb.ts'

/** Whose library the other side has. */
export type Library = 'mit' | 'heimdal' | 'python'

/** Ours and theirs, both in the name of alice and with all the keys of the KDC's services. */
export interface Pair extends Disposable {
  readonly kdc: Kdc
  readonly library: Library
  /** What we do; they do the other. */
  readonly we: 'initiate' | 'accept'
  readonly kerberos: Kerberos
  readonly peer: GssPeer
}

/** What a context is made with. */
export interface Wanted {
  readonly mech?: 'krb5' | 'spnego'
  /** What the initiator asks for; mutual authentication unless said. */
  readonly flags?: readonly GssFlag[]
  /** echo unless said; or a whole name. */
  readonly service?: string
  readonly bindings?: { readonly initiator?: ChannelBindings; readonly acceptor?: ChannelBindings }
  /** Who initiates, when it is not alice; and the other side likewise. */
  readonly creds?: Credentials
  readonly peer?: GssPeer
  readonly disorder?: 'report'
}

/** Starts their side in an environment of its own. */
export async function startPeer(library: Library, env: Readonly<Record<string, string>>): Promise<GssPeer> {
  if (library === 'python') return new GssPeer('/usr/bin/python3', [program('gss_peer.py')], env)
  return new GssPeer(await gssPeerProgram(library), [], env)
}

/** An environment in which alice has logged in, by MIT's kinit. */
export async function aliceAt(kdc: Kdc, ...args: readonly string[]): Promise<Record<string, string>> {
  const env = { ...freshEnv(kdc.env), KRB5_KTNAME: `FILE:${keytab('all', kdc)}` }
  const { code, stderr } = await run('kinit', ['-f', ...args, 'alice'], { env, input: 'alice-pw\n' })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return env
}

/** The pairs of ours with one library, at a KDC; they share its process. */
export async function pairsWith(library: Library, kdc: Kdc): Promise<{ initiate: Pair; accept: Pair }> {
  const kerberos = kerberosOf(await aliceAt(kdc))
  const peer = await startPeer(library, await aliceAt(kdc))
  const pair = (we: Pair['we']): Pair => ({
    kdc,
    library,
    we,
    kerberos,
    peer,
    [Symbol.dispose]: () => peer[Symbol.dispose](),
  })
  return { initiate: pair('initiate'), accept: pair('accept') }
}

/** The flags that every context has by itself, and C programs ask for. */
const standing = flagMask(['confidentiality', 'integrity'])

/** Both sides of a context that is established. */
export interface Both {
  readonly context: SecurityContext
  readonly peer: GssPeer
  /** How many tokens went over. */
  readonly legs: number
}

/** Establishes a context. Throws what either side refuses it with. */
export async function establish(pair: Pair, wanted: Wanted = {}): Promise<Both> {
  const { mech = 'krb5', flags = ['mutualAuthentication'], service = 'echo', bindings = {}, disorder } = wanted
  const { kdc, we, kerberos } = pair
  const peer = wanted.peer ?? pair.peer
  const target = service.includes('@') ? service : `${service}/localhost@${kdc.realm}`
  const bound = kerberos[mech]
  let context: SecurityContext
  if (we === 'initiate') {
    const name = target.includes('/') ? Name.principal(target) : Name.hostbased(target)
    const creds = wanted.creds ?? (await kerberos.acquire({ usage: 'initiate' }))
    const channelBindings = bindings.initiator
    context = new SecurityContext({ usage: 'initiate', name, creds, flags, mech: bound, channelBindings, disorder })
    await peer.accept(mech, bindings.acceptor)
  } else {
    const creds = wanted.creds ?? (await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('all', kdc) } }))
    context = new SecurityContext({ usage: 'accept', creds, mech: bound, channelBindings: bindings.acceptor, disorder })
    await peer.initiate(target, mech, flagMask(flags) | standing, bindings.initiator)
  }
  let legs = 0
  let theirs = false
  const them = async (token?: Uint8Array) => {
    const step = await peer.step(token)
    theirs = step.complete
    return step.token
  }
  let token = we === 'initiate' ? await context.step() : await them()
  for (let ours = we === 'accept'; token; ours = !ours) {
    legs++
    token = ours ? await context.step(token) : await them(token)
  }
  expect({ ours: context.complete, theirs }).toEqual({ ours: true, theirs: true })
  return { context, peer, legs }
}

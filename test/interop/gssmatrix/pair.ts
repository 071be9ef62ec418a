/** A context between ours and somebody else's library, whoever begins. */
import { join } from 'node:path'
import { type ChannelBindings, type Credentials, flagMask, type GssFlag, Name, SecurityContext } from 'kerb/gss'
import type { Kerberos } from 'kerb/node'
import { expect } from 'vitest'
import { gssPeerProgram, keytab, program, run, scratch } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { kerberosOf } from '../../support/contexts.ts'
import { GssPeer } from '../../support/gsspeer.ts'

/** Whose library the other side has. */
export type Library = 'mit' | 'heimdal' | 'python'

/** Ours and theirs, both in the name of alice and with all the keys of the KDC's services. */
export interface Pair {
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
  /** Who initiates on our side, when it is not alice. */
  readonly creds?: Credentials | undefined
  /** Another process on theirs. */
  readonly peer?: GssPeer | undefined
  readonly disorder?: 'report'
  /** The number of the only enctype that ours uses; all unless said. */
  readonly enctype?: number | undefined
}

/** Starts their side in an environment of its own. */
export async function startPeer(library: Library, env: Kdc['env']): Promise<GssPeer> {
  if (library === 'python') return new GssPeer('/usr/bin/python3', [program('gss_peer.py')], env)
  return new GssPeer(await gssPeerProgram(library), [], env)
}

/** An environment with keys of services, by a keytab of the lab, and a ccache of its own. */
export function withKeytab(kdc: Kdc, name: string) {
  return { ...kdc.env, KRB5CCNAME: `FILE:${join(scratch(), 'cc')}`, KRB5_KTNAME: `FILE:${keytab(name, kdc)}` }
}

async function loggedIn(kdc: Kdc, user: string, ...args: readonly string[]): Promise<Kdc['env']> {
  const env = withKeytab(kdc, 'all')
  const input = `${user.replace(/@.*/, '')}-pw\n`
  const { code, stderr } = await run('kinit', [...(args.includes('-F') ? [] : ['-f']), ...args, user], { env, input })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return env
}

/** An environment in which alice has logged in, by MIT's kinit and these arguments. */
export const aliceAt = (kdc: Kdc, ...args: readonly string[]): Promise<Kdc['env']> => loggedIn(kdc, 'alice', ...args)

/** One in which somebody of another realm has. */
export const strangerAt = (kdc: Kdc): Promise<Kdc['env']> =>
  loggedIn(kdc, kdc.realm === 'H5L.TEST' ? 'otto@OTHER.TEST' : 'mia@MID.TEST')

/** One in which nobody in particular has (RFC 8062). */
export async function nobodyAt(kdc: Kdc): Promise<Kdc['env']> {
  const env = withKeytab(kdc, 'all')
  const anchors = [`FILE:${join(kdc.dir, 'pki', 'ca.pem')}`]
  using login = await kerberosOf(env).login('', { anonymous: true, anchors })
  await login.save(env.KRB5CCNAME)
  return env
}

/** The pairs of ours with one library, at a KDC; they share its process. */
export async function pairsWith(library: Library, kdc: Kdc): Promise<{ initiate: Pair; accept: Pair }> {
  const kerberos = kerberosOf(await aliceAt(kdc))
  const peer = await startPeer(library, await aliceAt(kdc))
  const pair = { kdc, library, kerberos, peer }
  return { initiate: { ...pair, we: 'initiate' }, accept: { ...pair, we: 'accept' } }
}

/** The initiating side of a pair in another environment: {@link Wanted} of it. */
export async function initiatingBy({ we, library }: Pair, env: Kdc['env']) {
  const creds = we === 'initiate' ? await kerberosOf(env).acquire({ usage: 'initiate' }) : undefined
  const peer = we === 'accept' ? await startPeer(library, env) : undefined
  return { creds, peer, [Symbol.dispose]: () => peer?.[Symbol.dispose]() }
}

/** Our acceptor, with the keys of a keytab. */
export async function acceptor({ kdc, kerberos }: Pair, wanted: Wanted = {}, keys = 'all'): Promise<SecurityContext> {
  const { mech = 'krb5', bindings = {}, disorder } = wanted
  const enctypes = enctypesOf(kerberos, wanted)
  const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab(keys, kdc) }, enctypes })
  const channelBindings = bindings.acceptor
  return new SecurityContext({ usage: 'accept', creds, mech: kerberos[mech], channelBindings, disorder })
}

async function initiator({ kerberos }: Pair, target: string, flags: readonly GssFlag[], wanted: Wanted) {
  const { mech = 'krb5', bindings = {}, disorder } = wanted
  const name = target.includes('/') ? Name.principal(target) : Name.hostbased(target)
  const creds = wanted.creds ?? (await kerberos.acquire({ usage: 'initiate', enctypes: enctypesOf(kerberos, wanted) }))
  const channelBindings = bindings.initiator
  return new SecurityContext({ usage: 'initiate', name, creds, flags, mech: kerberos[mech], channelBindings, disorder })
}

const enctypesOf = ({ env: { enctypes } }: Kerberos, { enctype }: Wanted) =>
  enctype === undefined ? undefined : enctypes.filter(({ id }) => id === enctype)

/** The flags that every context has by itself, and C programs ask for. */
const standing = flagMask(['confidentiality', 'integrity'])

/** Both sides of a context that is established. */
export interface Both {
  readonly context: SecurityContext
  readonly peer: GssPeer
  /** How many tokens went over. */
  readonly legs: number
  /** The initiator's first one. */
  readonly first: Uint8Array
}

/** Establishes a context. Throws what either side refuses it with. */
export async function establish(pair: Pair, wanted: Wanted = {}): Promise<Both> {
  const { mech = 'krb5', flags = ['mutualAuthentication'], service = 'echo', bindings = {} } = wanted
  const peer = wanted.peer ?? pair.peer
  const target = service.includes('@') ? service : `${service}/localhost@${pair.kdc.realm}`
  if (pair.we === 'initiate') await peer.accept(mech, bindings.acceptor)
  else await peer.initiate(target, mech, flagMask(flags) | standing, bindings.initiator)
  const context = pair.we === 'initiate' ? await initiator(pair, target, flags, wanted) : await acceptor(pair, wanted)
  return converse(pair.we, context, peer)
}

/** Lets both sides talk until neither has anything to say. */
export async function converse(we: Pair['we'], context: SecurityContext, peer: GssPeer): Promise<Both> {
  let theirs = false
  const them = async (token?: Uint8Array) => {
    const step = await peer.step(token)
    theirs = step.complete
    return step.token
  }
  let token = we === 'initiate' ? await context.step() : await them()
  const first = token ?? new Uint8Array(0)
  let legs = 0
  for (let ours = we === 'accept'; token; ours = !ours) {
    legs++
    token = ours ? await context.step(token) : await them(token)
  }
  expect({ ours: context.complete, theirs }).toEqual({ ours: true, theirs: true })
  return { context, peer, legs, first }
}

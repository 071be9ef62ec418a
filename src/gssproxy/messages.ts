/** What GSS-Proxy's messages are made of (gss_proxy.x of the gssproxy project), in its order and its words. @module */
import { bool, enumeration, hyper, type Infer, list, opaque, struct, word, type Xdr } from './xdr.ts'

/** A mechanism or a name type: the contents octets of its DER; none for none. */
export const Oid = opaque

/** A named extension; both texts end with NUL wherever gssproxy uses them. */
export const Option = struct({ option: opaque, value: opaque })
/** An extension. */
export type Option = Infer<typeof Option>

/** An attribute of a mechanism (RFC 5587). */
export const MechAttr = struct({
  attr: Oid,
  name: opaque,
  shortDesc: opaque,
  longDesc: opaque,
  extensions: list(Option),
})

/** A mechanism. MIT's interposer needs all three of its first lists to hold something. */
export const MechInfo = struct({
  mech: Oid,
  nameTypes: list(Oid),
  mechAttrs: list(Oid),
  knownMechAttrs: list(Oid),
  credOptions: list(Oid),
  secCtxOptions: list(Oid),
  saslNameSaslMechName: opaque,
  saslNameMechName: opaque,
  saslNameMechDesc: opaque,
  extensions: list(Option),
})

/** An attribute of a name (RFC 6680). */
export const NameAttr = struct({ attr: opaque, value: opaque, extensions: list(Option) })

/** How a call went: RFC 2744's major status in 64 bits; both texts end with NUL. */
export const Status = struct({
  majorStatus: hyper,
  mech: Oid,
  minorStatus: hyper,
  majorStatusString: opaque,
  minorStatusString: opaque,
  serverCtx: opaque,
  options: list(Option),
})
/** How a call went. */
export type Status = Infer<typeof Status>

/** What comes with every call. */
export const CallCtx = struct({ locale: opaque, serverCtx: opaque, options: list(Option) })

/** A name: a text of a type, and forms for export (RFC 2743 §3.2, RFC 6680). */
export const WireName = struct({
  displayName: opaque,
  nameType: Oid,
  exportedName: opaque,
  exportedCompositeName: opaque,
  nameAttributes: list(NameAttr),
  extensions: list(Option),
})
/** A name. */
export type WireName = Infer<typeof WireName>

/** What credentials are good for; `none` in the answers of what does nothing. */
export const CredUsage = enumeration({ none: 0, initiate: 1, accept: 2, both: 3 })

/** Credentials of one mechanism; times are seconds that are left, all ones for no end. */
export const CredElement = struct({
  mn: WireName,
  mech: Oid,
  credUsage: CredUsage,
  initiatorTimeRec: hyper,
  acceptorTimeRec: hyper,
  options: list(Option),
})

/** Credentials, and what the daemon knows them by: opaque to everybody else. */
export const Cred = struct({
  desiredName: WireName,
  elements: list(CredElement),
  credHandleReference: opaque,
  needsRelease: bool,
})
/** Credentials. */
export type Cred = Infer<typeof Cred>

/** A context: half open in `state`, open in `exportedContextToken`. */
export const Ctx = struct({
  exportedContextToken: opaque,
  state: opaque,
  needsRelease: bool,
  mech: Oid,
  srcName: WireName,
  targName: WireName,
  lifetime: hyper,
  ctxFlags: hyper,
  locallyInitiated: bool,
  open: bool,
  options: list(Option),
})
/** A context. */
export type Ctx = Infer<typeof Ctx>

/** Channel bindings (RFC 2744 §3.11). */
export const ChannelBindings = struct({
  initiatorAddrtype: hyper,
  initiatorAddress: opaque,
  acceptorAddrtype: hyper,
  acceptorAddress: opaque,
  applicationData: opaque,
})
/** Channel bindings. */
export type ChannelBindings = Infer<typeof ChannelBindings>

/** What RELEASE_HANDLE is to forget. */
export type Handle =
  | { readonly kind: 'context'; readonly context: Ctx }
  | { readonly kind: 'credential'; readonly credential: Cred }
  | { readonly kind: number; readonly octets: Uint8Array }

/** Numbers of {@link Handle}'s kinds. */
const [CONTEXT, CREDENTIAL] = [0, 1]

/** A discriminated union (RFC 4506 §4.15) with octets as the default arm. */
export const Handle: Xdr<Handle> = {
  empty: { kind: 'context', context: Ctx.empty },
  read(reader) {
    const kind = word.read(reader)
    if (kind === CONTEXT) return { kind: 'context', context: Ctx.read(reader) }
    if (kind === CREDENTIAL) return { kind: 'credential', credential: Cred.read(reader) }
    return { kind, octets: opaque.read(reader) }
  },
  write(handle, writer) {
    if ('context' in handle) {
      word.write(CONTEXT, writer)
      Ctx.write(handle.context, writer)
    } else if ('credential' in handle) {
      word.write(CREDENTIAL, writer)
      Cred.write(handle.credential, writer)
    } else {
      word.write(handle.kind, writer)
      opaque.write(handle.octets, writer)
    }
  },
}

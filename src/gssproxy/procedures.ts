/** The procedures of GSS-Proxy: what each takes and gives (gss_proxy.x of the gssproxy project). @module */
import {
  CallCtx,
  ChannelBindings,
  Cred,
  CredUsage,
  Ctx,
  Handle,
  MechAttr,
  MechInfo,
  NameAttr,
  Oid,
  Option,
  Status,
  WireName,
} from './messages.ts'
import { bool, hyper, type Infer, list, opaque, optional, struct, type Xdr } from './xdr.ts'

const callCtx = CallCtx
const status = Status
const options = list(Option)

/** Every procedure with its number, by its name without the prefix. */
export const procedures = {
  INDICATE_MECHS: {
    number: 1,
    args: struct({ callCtx }),
    result: struct({
      status,
      mechs: list(MechInfo),
      mechAttrDescs: list(MechAttr),
      supportedExtensions: list(opaque),
      extensions: options,
    }),
  },
  GET_CALL_CONTEXT: {
    number: 2,
    args: struct({ callCtx, options }),
    result: struct({ status, serverCallCtx: opaque, options }),
  },
  IMPORT_AND_CANON_NAME: {
    number: 3,
    args: struct({ callCtx, inputName: WireName, mech: Oid, nameAttributes: list(NameAttr), options }),
    result: struct({ status, outputName: optional(WireName), options }),
  },
  EXPORT_CRED: {
    number: 4,
    args: struct({ callCtx, inputCredHandle: Cred, credUsage: CredUsage, options }),
    result: struct({ status, usageExported: CredUsage, exportedHandle: optional(opaque), options }),
  },
  IMPORT_CRED: {
    number: 5,
    args: struct({ callCtx, exportedHandle: opaque, options }),
    result: struct({ status, outputCredHandle: optional(Cred), options }),
  },
  ACQUIRE_CRED: {
    number: 6,
    args: struct({
      callCtx,
      inputCredHandle: optional(Cred),
      addCredToInputHandle: bool,
      desiredName: optional(WireName),
      timeReq: hyper,
      desiredMechs: list(Oid),
      credUsage: CredUsage,
      initiatorTimeReq: hyper,
      acceptorTimeReq: hyper,
      options,
    }),
    result: struct({ status, outputCredHandle: optional(Cred), options }),
  },
  STORE_CRED: {
    number: 7,
    args: struct({
      callCtx,
      inputCredHandle: Cred,
      credUsage: CredUsage,
      desiredMech: Oid,
      overwriteCred: bool,
      defaultCred: bool,
      options,
    }),
    result: struct({ status, elementsStored: list(Oid), credUsageStored: CredUsage, options }),
  },
  INIT_SEC_CONTEXT: {
    number: 8,
    args: struct({
      callCtx,
      contextHandle: optional(Ctx),
      credHandle: optional(Cred),
      targetName: optional(WireName),
      mechType: Oid,
      reqFlags: hyper,
      timeReq: hyper,
      inputCb: optional(ChannelBindings),
      inputToken: optional(opaque),
      options,
    }),
    result: struct({ status, contextHandle: optional(Ctx), outputToken: optional(opaque), options }),
  },
  ACCEPT_SEC_CONTEXT: {
    number: 9,
    args: struct({
      callCtx,
      contextHandle: optional(Ctx),
      credHandle: optional(Cred),
      inputToken: opaque,
      inputCb: optional(ChannelBindings),
      retDelegCred: bool,
      options,
    }),
    result: struct({
      status,
      contextHandle: optional(Ctx),
      outputToken: optional(opaque),
      delegatedCredHandle: optional(Cred),
      options,
    }),
  },
  RELEASE_HANDLE: { number: 10, args: struct({ callCtx, credHandle: Handle }), result: struct({ status }) },
  GET_MIC: {
    number: 11,
    args: struct({ callCtx, contextHandle: Ctx, qopReq: hyper, messageBuffer: opaque }),
    result: struct({ status, contextHandle: optional(Ctx), tokenBuffer: opaque, qopState: optional(hyper) }),
  },
  VERIFY: {
    number: 12,
    args: struct({ callCtx, contextHandle: Ctx, messageBuffer: opaque, tokenBuffer: opaque }),
    result: struct({ status, contextHandle: optional(Ctx), qopState: optional(hyper) }),
  },
  WRAP: {
    number: 13,
    args: struct({ callCtx, contextHandle: Ctx, confReq: bool, messageBuffer: list(opaque), qopState: hyper }),
    result: struct({
      status,
      contextHandle: optional(Ctx),
      tokenBuffer: list(opaque),
      confState: optional(bool),
      qopState: optional(hyper),
    }),
  },
  UNWRAP: {
    number: 14,
    args: struct({ callCtx, contextHandle: Ctx, tokenBuffer: list(opaque), qopState: hyper }),
    result: struct({
      status,
      contextHandle: optional(Ctx),
      messageBuffer: list(opaque),
      confState: optional(bool),
      qopState: optional(hyper),
    }),
  },
  WRAP_SIZE_LIMIT: {
    number: 15,
    args: struct({ callCtx, contextHandle: Ctx, confReq: bool, qopState: hyper, reqOutputSize: hyper }),
    result: struct({ status, maxInputSize: hyper }),
  },
} as const satisfies Readonly<
  Record<
    string,
    { readonly number: number; readonly args: Xdr<unknown>; readonly result: Xdr<{ readonly status: Status }> }
  >
>

/** A procedure. */
export type ProcedureName = keyof typeof procedures

/** What a procedure takes. */
export type Args<N extends ProcedureName> = Infer<(typeof procedures)[N]['args']>
/** What a procedure gives. */
export type Result<N extends ProcedureName> = Infer<(typeof procedures)[N]['result']>

const byNumber = new Map(
  (Object.keys(procedures) as ProcedureName[]).map((name) => [procedures[name].number as number, name]),
)

/** The procedure of this number; undefined when there is none. */
export const procedureOf = (number: number): ProcedureName | undefined => byNumber.get(number)

/** SPNEGO: choosing among mechanisms (RFC 4178, MS-SPNG). @module */
export { spnego } from './mechanism.ts'
export {
  AcceptorNegotiationToken,
  MechTypeList,
  NegHints,
  NegotiationToken,
  NegState,
  NegTokenInit,
  NegTokenInit2,
  NegTokenResp,
} from './messages.ts'
export {
  authSchemes,
  isNegoEx,
  type NegoExAlert,
  type NegoExExchange,
  type NegoExHeader,
  type NegoExMessage,
  type NegoExType,
  type NegoExValue,
  type NegoExVerify,
  type NegoMessage,
  parseNegoEx,
} from './negoex.ts'

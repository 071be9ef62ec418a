import { Name } from '../gss/index.ts'

/**
 * The service at a URL. As a text: `service@host`; `service/host` or `service/host@REALM`; a host (it has a dot or a
 * colon), for `HTTP@` it; or a service (it has neither), for it at the URL's host. requests-gssapi's documentation
 * means the host by `target_name`, and its code the service: here both work.
 */
export type TargetName = string | Name | ((url: URL) => Name | string)

/** The name of the service at `url`: `HTTP@host` unless told otherwise (RFC 4559 §4.1). DNS is not asked for another name. */
export function serviceName(url: URL, target?: TargetName): Name {
  if (typeof target === 'function') return serviceName(url, target(url))
  if (target === undefined) return Name.hostbased(`HTTP@${hostOf(url)}`)
  return typeof target === 'string' ? nameOf(target, url) : target
}

function nameOf(text: string, url: URL): Name {
  if (text.includes('/')) return Name.principal(text)
  if (text.includes('@')) return Name.hostbased(text)
  return Name.hostbased(/[.:]/.test(text) ? `HTTP@${text}` : `${text}@${hostOf(url)}`)
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

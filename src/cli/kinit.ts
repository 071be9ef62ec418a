import { createReadStream } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { formatPrincipal, hostService } from '../krb5/names.ts'
import { ownerOf } from '../node/caches/caches.ts'
import { Kerberos } from '../node/kerberos.ts'
import type { Login } from '../node/login.ts'
import type { LoginOptions } from '../node/loginoptions.ts'
import { firstLine, secretPrompter } from '../node/prompt.ts'
import { formatTime } from './text.ts'

/** What `kerb kinit` was told; the names are those of MIT's options. */
export interface KinitOptions {
  readonly cache?: string
  readonly keytab?: string
  /** -k, and -i for the client keytab. */
  readonly useKeytab?: boolean
  readonly clientKeytab?: boolean
  readonly passwordFile?: string
  readonly lifetime?: number
  readonly startTime?: number
  readonly renewable?: number
  readonly forwardable?: boolean
  readonly notForwardable?: boolean
  readonly proxiable?: boolean
  readonly notProxiable?: boolean
  readonly addresses?: boolean
  readonly noaddresses?: boolean
  readonly canonicalize?: boolean
  readonly enterprise?: boolean
  readonly service?: string
  /** -T, a credential cache. */
  readonly armor?: string
  readonly anonymousArmor?: boolean
  /** -n */
  readonly anonymous?: boolean
  /** -X, as `X509_user_identity=FILE:cert.pem,key.pem`. */
  readonly preauthOption?: readonly string[]
  readonly validate?: boolean
  readonly renew?: boolean
  readonly requestPac?: boolean
  readonly verbose?: boolean
}

/** Logs in, or renews or validates what there is, and writes the ticket to the credential cache. */
export async function kinit(principal: string | undefined, options: KinitOptions): Promise<void> {
  const kerberos = new Kerberos({ prompt: secretPrompter() })
  const say = (text: string) => options.verbose && process.stdout.write(`${text}\n`)
  const { cache, service } = options
  if (options.renew || options.validate) {
    const again = options.renew ? kerberos.renew(cache, service) : kerberos.validate(cache, service)
    using login = await again
    await login.save(cache)
    return void say(`${options.renew ? 'Renewed' : 'Validated'}: ${described(login)}`)
  }
  using login = await kerberos.login(await nameFor(principal, options, kerberos), await loginOptions(options, kerberos))
  await kerberos.caches.login(login.principal, cache, async (chosen) => {
    await login.save(chosen.name)
    say(`Using cache: ${chosen.name}\nUsing principal: ${formatPrincipal(login.principal)}`)
  })
  say(`Authenticated: ${described(login)}`)
  warnOfExpiry(login, kerberos)
}

/** Who logs in: as said; else who the cache belongs to, or with a keytab this host, as MIT's kinit has it. */
async function nameFor(said: string | undefined, options: KinitOptions, kerberos: Kerberos): Promise<string> {
  if (said !== undefined || options.anonymous) return said ?? ''
  if (options.clientKeytab) {
    const [first] = await kerberos.keys(options.keytab ?? kerberos.clientKeytabName())
    return formatPrincipal(first!.principal)
  }
  if (usesKeytab(options)) return formatPrincipal(hostService('host', hostname()))
  const owner = await ownerOf(await kerberos.caches.resolve(options.cache))
  return owner ? formatPrincipal(owner) : userInfo().username
}

const usesKeytab = ({ useKeytab, keytab, clientKeytab }: KinitOptions): boolean =>
  useKeytab === true || clientKeytab === true || keytab !== undefined

async function loginOptions(options: KinitOptions, kerberos: Kerberos): Promise<LoginOptions> {
  const { passwordFile, lifetime, startTime, renewable, service, canonicalize, enterprise, requestPac } = options
  const standard = options.clientKeytab ? kerberos.clientKeytabName() : kerberos.keytabName()
  return {
    keytab: usesKeytab(options) ? (options.keytab ?? standard) : undefined,
    password: passwordFile === undefined ? undefined : await passwordFrom(passwordFile),
    ...{ lifetime, startTime, renewLifetime: renewable, service, canonicalize, enterprise, pac: requestPac },
    ...preauthOptions(options.preauthOption ?? []),
    anonymous: options.anonymous,
    armor: options.anonymousArmor ? { anonymous: true } : options.armor,
    forwardable: either(options.forwardable, options.notForwardable),
    proxiable: either(options.proxiable, options.notProxiable),
    addresses: options.addresses ? 'own' : options.noaddresses ? 'none' : undefined,
  }
}

/** MIT's names of what PKINIT is told (kinit -X). Throws TypeError for others, and for what is not done here. */
function preauthOptions(texts: readonly string[]): Pick<LoginOptions, 'certificate' | 'anchors'> {
  const told = texts.map((text) => {
    const [name = '', ...value] = text.split('=')
    return { name, value: value.join('=') }
  })
  const refused = told.find(({ name }) => name !== 'X509_user_identity' && name !== 'X509_anchors')
  if (refused?.name === 'flag_RSA_PROTOCOL')
    throw new TypeError(
      'flag_RSA_PROTOCOL: a KDC that chooses the key alone is not trusted with that here; leave it out',
    )
  if (refused) throw new TypeError(`no preauthentication option ${refused.name}: X509_user_identity, X509_anchors`)
  const valuesOf = (wanted: string) => told.filter(({ name }) => name === wanted).map(({ value }) => value)
  const anchors = valuesOf('X509_anchors')
  return { certificate: valuesOf('X509_user_identity')[0], anchors: anchors.length > 0 ? anchors : undefined }
}

const either = (yes: boolean | undefined, no: boolean | undefined): boolean | undefined =>
  yes ? true : no ? false : undefined

const described = ({ principal, ticket }: Login): string =>
  `${formatPrincipal(principal)} until ${formatTime(ticket.endtime)}`

/** Seconds before its end that a password is warned of, as MIT does. */
const WARNING = 7 * 86_400

function warnOfExpiry({ passwordExpires, clockOffset }: Login, { env }: Kerberos): void {
  if (!passwordExpires) return
  const left = passwordExpires - (env.now() + clockOffset) / 1e6
  if (left < 0 || left > WARNING) return
  const days = Math.floor(left / 86_400)
  const when = days > 0 ? `in ${days} ${days === 1 ? 'day' : 'days'}` : 'in less than a day'
  process.stderr.write(`Warning: your password will expire ${when}, on ${formatTime(passwordExpires)}\n`)
}

/** The first line of a file; of standard input for `-`. Throws PromptError. */
export function passwordFrom(path: string): Promise<string> {
  return firstLine(path === '-' ? process.stdin : createReadStream(path))
}

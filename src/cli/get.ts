import { STATUS_CODES } from 'node:http'
import { Name } from '../gss/name.ts'
import { createNegotiateFetch } from '../http/client.ts'
import { Kerberos } from '../node/kerberos.ts'

/** What `kerb get` was told. */
export interface GetOptions {
  readonly cache?: string
  readonly include?: boolean
  readonly request?: string
  readonly data?: string
  readonly header: readonly string[]
  readonly service?: string
  readonly mutual: boolean
}

/** curl's exit code for a status of 400 and up (`--fail`). */
const HTTP_ERROR = 22

/** Fetches a page as whoever is logged in and prints it. Exit code 22 for a status of 400 and up. */
export async function get(url: string, options: GetOptions): Promise<void> {
  const kerberos = new Kerberos()
  const { data, service } = options
  const fetch = createNegotiateFetch({
    mech: kerberos.spnego,
    credentials: () => kerberos.acquire({ usage: 'initiate', store: { ccache: options.cache } }),
    mutualAuthentication: options.mutual ? 'required' : 'disabled',
    onRefused: (error) => process.stderr.write(`kerb: the server says: ${error.message}\n`),
    ...(service ? { targetName: Name.hostbased(service) } : {}),
  })
  const response = await fetch(url, {
    method: options.request ?? (data === undefined ? 'GET' : 'POST'),
    headers: options.header.map(headerOf),
    ...(data === undefined ? {} : { body: data }),
  })
  if (options.include) process.stdout.write(head(response))
  process.stdout.write(new Uint8Array(await response.arrayBuffer()))
  if (response.status >= 400) {
    process.exitCode = HTTP_ERROR
    process.stderr.write(`kerb: ${url} answered ${statusLine(response)}${reasonFor(response)}\n`)
  }
}

const statusLine = ({ status, statusText }: Response) => `${status} ${statusText || STATUS_CODES[status] || ''}`.trim()

function reasonFor({ status, headers }: Response): string {
  if (status !== 401) return ''
  const field = headers.get('www-authenticate')
  if (!field) return ' and asks for no authentication'
  return /negotiate/i.test(field)
    ? ': the server did not accept the ticket; its keytab may not hold the key that the KDC uses for it (its log says more)'
    : ` and asks for ${field}, not for Negotiate`
}

function head(response: Response): string {
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`)
  return `${[`HTTP/1.1 ${statusLine(response)}`, ...lines].join('\r\n')}\r\n\r\n`
}

function headerOf(line: string): [string, string] {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new TypeError(`not a header: ${line}; write Name: value`)
  return [name, value]
}

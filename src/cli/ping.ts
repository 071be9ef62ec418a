import { Kerberos } from '../node/kerberos.ts'
import { familyOf, type Ping, pingRealm } from '../node/ping.ts'
import { formatMilliseconds } from './text.ts'

/** What `kerb ping` was told. */
export interface PingCommandOptions {
  readonly principal: string
  readonly timeout: number
  readonly json?: boolean
}

/** Asks every KDC of a realm by every transport, and draws what came back. Exit code 1 when none answered. */
export async function ping(realm: string | undefined, options: PingCommandOptions): Promise<void> {
  const kerberos = new Kerberos()
  const client = kerberos.principal(realm === undefined ? options.principal : `${options.principal}@${realm}`)
  const { config, env } = kerberos
  const attemptTimeout = options.timeout * 1000
  const onResult = (_: Ping, done: number, of: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of} ways tried${done === of ? '\r\x1b[K' : ''}`)
  }
  const pings = await pingRealm({ config, env, client, attemptTimeout, onResult })
  process.stdout.write(options.json ? `${JSON.stringify(pings, null, 2)}\n` : table(pings))
  if (pings.every(({ answer }) => answer === undefined)) process.exitCode = 1
}

function table(pings: readonly Ping[]): string {
  const head = ['KDC', 'address', 'by', 'time', 'answer', 'clock', 'enctypes', 'preauth']
  const rows = pings.map(
    ({ kdc, address, transport, milliseconds, answer, failure, clockOffset, enctypes, preauth }) => [
      kdc,
      `${address} ${familyOf(address)}`.trim(),
      transport.toUpperCase(),
      formatMilliseconds(milliseconds),
      answer ?? failure ?? '',
      clockOffset === undefined ? '' : `${clockOffset >= 0 ? '+' : ''}${clockOffset} s`,
      enctypes.join(', '),
      preauth.join(', '),
    ],
  )
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  return `${[head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n')}\n`
}

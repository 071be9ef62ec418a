/** Authenticated requests to web servers, over connections that stay. @module */
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { fromBase64, toBase64 } from '../src/bytes/index.ts'
import { SecurityContext } from '../src/gss/context.ts'
import type { Credentials } from '../src/gss/credentials.ts'
import type { BoundMechanism } from '../src/gss/mechanism.ts'
import { Name } from '../src/gss/name.ts'
import { LabError } from '../test/lab/process.ts'

/** A web server under load. */
export interface LoadedSite {
  readonly port: number
  readonly path: string
  /** Of the process that is the server, or the parent of all that are. */
  readonly pid: number
}

/** A request, and the context that is to say whether the answer proves the server. */
export interface SiteRequest extends Disposable {
  readonly token: string
  prove(answer: string): Promise<void>
}

/** Milliseconds without any answer after which a server is given up. */
const SILENCE = 20_000

/** A request to `HTTP@localhost` with a token of its own, as no server takes one twice. */
export async function siteRequest(mech: BoundMechanism, creds: Credentials): Promise<SiteRequest> {
  const context = new SecurityContext({ usage: 'initiate', name: Name.hostbased('HTTP@localhost'), creds, mech })
  const token = toBase64((await context.step())!)
  return {
    token,
    async prove(answer) {
      await context.step(fromBase64(answer))
      if (!context.complete) throw new LabError('an answer does not prove the server')
    },
    [Symbol.dispose]: () => context[Symbol.dispose](),
  }
}

/** Sends `requests` over so many connections; gives the server's token of each. Throws LabError for whatever is no 200. */
export async function answered(site: LoadedSite, requests: readonly SiteRequest[], connections: number) {
  const answers: string[] = []
  let next = 0
  const take = () => (next < requests.length ? next++ : undefined)
  await Promise.all(Array.from({ length: connections }, () => overConnection(site, requests, take, answers)))
  return answers
}

function overConnection(
  { port, path }: LoadedSite,
  requests: readonly SiteRequest[],
  take: () => number | undefined,
  answers: string[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const fail = (what: string): void => void socket.destroy(new LabError(what))
    let at: number | undefined
    let heard = ''
    const send = (): void => {
      at = take()
      if (at === undefined) {
        socket.end()
        return
      }
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Negotiate ${requests[at]!.token}\r\n\r\n`)
    }
    socket.setEncoding('latin1')
    socket.setTimeout(SILENCE, () => fail(`request ${at}: silence`))
    socket.on('connect', send)
    socket.on('data', (data: string): void => {
      heard += data
      const end = heard.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = heard.slice(0, end)
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
      if (heard.length < end + 4 + length) return
      const [, token] = /\r\nwww-authenticate: Negotiate (\S+)/i.exec(head) ?? []
      if (!head.startsWith('HTTP/1.1 200 ') || !token || Number.isNaN(length))
        fail(`request ${at}: ${head.slice(0, head.indexOf('\r\n'))}`)
      else {
        answers[at!] = token
        heard = ''
        send()
      }
    })
    socket.on('error', reject)
    socket.on('close', () => (at === undefined ? resolve() : reject(new LabError(`request ${at}: closed`))))
  })
}

/** Nanoseconds of CPU time that a server's processes have taken, each by its id. */
export function cpuOfTree({ pid }: LoadedSite): ReadonlyMap<number, number> {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  return new Map([pid, ...children.map(Number)].map((id) => [id, cpuOfProcess(id)]))
}

/** What `after` has more than `before`: a process that ended meanwhile was idle. */
export function spent(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  let sum = 0
  for (const [pid, nanoseconds] of after) sum += nanoseconds - (before.get(pid) ?? 0)
  return sum
}

function parentOf(pid: string): number {
  return Number(
    procFile(`${pid}/stat`)
      .replace(/^.*\) /, '')
      .split(' ')[1],
  )
}

function cpuOfProcess(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + Number(procFile(`${pid}/task/${thread}/schedstat`).split(' ')[0]), 0)
}

/** A file of /proc; empty where its process has ended. */
function procFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}

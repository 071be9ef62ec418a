/** Debian's Chromium, driven over a pipe by its DevTools protocol: pages, who asks for passwords, and cookies. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { LabError } from './process.ts'

/** A password for the browser's dialog, which is shown for Basic and the like. */
export interface PasswordDialog {
  readonly username: string
  readonly password: string
}

/** A page that was opened. */
export interface Opened {
  readonly status: number | undefined
  readonly text: string
}

/** A cookie as the browser keeps it. */
export interface BrowserCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly path: string
  /** Seconds since the epoch. */
  readonly expires: number
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite?: string
}

/** A browser with one page. */
export interface Browser extends AsyncDisposable {
  /** Goes there; dialogs that ask for a password get `password` once each, or are cancelled. */
  open(url: string, password?: PasswordDialog): Promise<Opened>
  /** `scheme realm` of each dialog that has come up. */
  readonly dialogs: readonly string[]
  cookies(url: string): Promise<readonly BrowserCookie[]>
  setCookie(cookie: object): Promise<void>
  /** The page as a PNG. */
  screenshot(): Promise<Buffer>
}

type Fields = Readonly<Record<string, unknown>>
interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Fields
  readonly result?: Fields
  readonly error?: { readonly message: string }
}

/** Milliseconds that a page may take. */
const PATIENCE = 30_000

/** Starts a browser with a profile of its own, these arguments, and settings that only administrators make. */
export async function startChromium(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  settings: object = {},
): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'kerb-chromium-'))
  writeFileSync(join(profile, 'Local State'), JSON.stringify(settings))
  const own = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`]
  const child = spawn('/usr/bin/chromium', [...own, '--remote-debugging-pipe', ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const kill = () => void process.kill(-child.pid!, 'SIGKILL')
  process.once('exit', kill)
  const tools = devTools(child.stdio[3] as Duplex, child.stdio[4] as Duplex)
  const page = await firstPage(tools)
  await firstChallenge(page)
  return {
    ...page,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill)
      const ended = new Promise((resolve) => child.once('exit', resolve))
      kill() // the processes that it has started are of its group
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A Chromium that was just started finds no scheme for the first challenge, wherever that comes from. */
async function firstChallenge({ open }: Pick<Browser, 'open'>): Promise<void> {
  const server = createServer((_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end(),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  server.closeAllConnections()
  server.close()
}

/** Calls and events, each a JSON text that ends with a zero octet. */
function devTools(to: Duplex, from: Duplex) {
  const calls = new Map<number, { resolve: (result: Fields) => void; reject: (error: Error) => void }>()
  const listeners = new Map<string, (params: Fields) => void>()
  let id = 0
  let text = ''
  from.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (text + chunk).split('\0')
    text = messages.pop()!
    for (const json of messages) hear(JSON.parse(json) as Message)
  })
  to.on('error', () => {})
  from.on('close', () => {
    for (const { reject } of calls.values()) reject(new LabError('Chromium is gone'))
  })
  function hear({ id: answered, method, params = {}, result = {}, error }: Message) {
    if (answered === undefined) listeners.get(method!)?.(params)
    else if (error) calls.get(answered)?.reject(new LabError(error.message))
    else calls.get(answered)?.resolve(result)
    if (answered !== undefined) calls.delete(answered)
  }
  return {
    on: (event: string, listener: (params: Fields) => void) => void listeners.set(event, listener),
    call: (method: string, params: Fields = {}, sessionId?: string) =>
      new Promise<Fields>((resolve, reject) => {
        calls.set(++id, { resolve, reject })
        to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
      }),
  }
}

async function firstPage({ on, call: callAny }: ReturnType<typeof devTools>): Promise<Omit<Browser, symbol>> {
  const { targetId } = await callAny('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await callAny('Target.attachToTarget', { targetId, flatten: true })
  const call = (method: string, params?: Fields) => callAny(method, params, sessionId as string)
  let status: number | undefined
  let loaded = () => {}
  let password: PasswordDialog | undefined
  const dialogs: string[] = []
  /** What nobody waits for may be left without an answer when the browser is ended. */
  const tell = (method: string, params: Fields) => void call(method, params).catch(() => {})
  on('Fetch.requestPaused', ({ requestId }) => tell('Fetch.continueRequest', { requestId }))
  on('Fetch.authRequired', ({ requestId, authChallenge }) => {
    const { scheme, realm } = authChallenge as { readonly scheme: string; readonly realm: string }
    dialogs.push(`${scheme} ${realm}`)
    const response = password ? { response: 'ProvideCredentials', ...password } : { response: 'CancelAuth' }
    password = undefined
    tell('Fetch.continueWithAuth', { requestId, authChallengeResponse: response })
  })
  on('Network.responseReceived', ({ type, response }) => {
    if (type === 'Document') status = (response as { readonly status: number }).status
  })
  on('Page.loadEventFired', () => loaded())
  await call('Page.enable')
  await call('Network.enable')
  await call('Fetch.enable', { handleAuthRequests: true })
  return {
    dialogs,
    async open(url, given) {
      password = given
      status = undefined
      const over = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new LabError(`${url} did not load within ${PATIENCE} ms`)), PATIENCE)
        loaded = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      await Promise.all([over, call('Page.navigate', { url })])
      const { result } = await call('Runtime.evaluate', { expression: 'document.body.innerText' })
      return { status, text: (result as { readonly value: string }).value }
    },
    cookies: async (url) =>
      (await call('Network.getCookies', { urls: [url] }))['cookies'] as unknown as readonly BrowserCookie[],
    setCookie: async (cookie) => void (await call('Network.setCookie', cookie as Fields)),
    screenshot: async () => Buffer.from((await call('Page.captureScreenshot'))['data'] as string, 'base64'),
  }
}

/** MIT krb5 as a peer: mit.c, built and fed with tickets of a throw-away realm of the lab. @module */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { absentPeers, canInstall, install } from '../test/lab/peers.ts'
import { LabError, run } from '../test/lab/process.ts'
import { type Kdc, startMit as startRealm } from '../test/lab/start.ts'
import type { Tickets } from './figure.ts'
import type { Loaded } from './kdcload.ts'

/** MIT's library, ready to be measured. Disposing of it stops all that was started and removes its files. */
export interface Mit extends AsyncDisposable {
  /** As `MIT krb5 1.20.1`. */
  readonly name: string
  readonly tickets: Tickets
  /** The KDC of the realm, which the embedded one is measured beside. */
  readonly kdc: Loaded
  /** The realm itself, whose ccache holds tickets of alice's, and the folder below which all is stopped in the end. */
  readonly lab: Kdc
  readonly root: string
  /** Nanoseconds of CPU time for one operation of `figure` (`wrap 1024`), over `count` of them. */
  measure(figure: string, count: number): Promise<number>
}

/** Services of the lab's realm whose tickets and session keys are aes256-cts-hmac-sha1-96. */
const withPac = 'e-aes256-sha1-96/localhost'
const withoutPac = 'nopac/localhost'

/** What is missing here for {@link startMit}, and how to get it; undefined when nothing is. Installs it where it may. */
export async function missingForMit(): Promise<string | undefined> {
  const missing = () => {
    const { mit, cc } = absentPeers()
    return mit || cc ? { ...(mit && { mit }), ...(cc && { cc }) } : undefined
  }
  const absent = missing()
  if (absent && canInstall()) {
    console.error(`installs Debian packages for ${Object.keys(absent).join(' and ')} (a minute or two, once)`)
    await install(absent)
  }
  const still = missing()
  return still && Object.values(still).join('\n')
}

/** Builds mit.c, has tickets granted by a throw-away realm, and starts it. Throws LabError. */
export async function startMit(): Promise<Mit> {
  const root = await mkdtemp(join(tmpdir(), 'kerb-bench-'))
  await chmod(root, 0o711) // daemons that drop root pass through it
  // It stops and removes everything below `root` once this process has ended or disposed of it, however that happens.
  const keeper = spawn('bash', [join(import.meta.dirname, '../test/lab/keeper.sh'), root], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const stop = async () => {
    const ended = once(keeper, 'exit')
    keeper.stdin.end()
    await ended
  }
  try {
    const program = join(root, 'mit')
    await command('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'mit.c'), ...libraries])
    const lab = await startRealm(root)
    const { dir, env, kdc } = lab
    await command('kinit', ['alice'], env, 'alice-pw\n')
    await command('kvno', ['-q', withPac, withoutPac, 'HTTP/localhost'], env)
    const release = await command('krb5-config', ['--version'])
    const harness = await Harness.start(program, [withPac, withoutPac], { ...env, KRB5RCACHENAME: 'none:' })
    return {
      name: `MIT krb5 ${/[\d.]+$/.exec(release.trim())?.[0] ?? release}`,
      tickets: { ccache: join(dir, 'cc'), keytab: join(dir, 'keytabs', 'all.keytab'), withPac, withoutPac },
      kdc: loaded(kdc, await readFile(join(dir, 'run', 'krb5kdc.pid'), 'utf8')),
      ...{ lab, root },
      measure: (figure, count) => harness.measure(figure, count),
      async [Symbol.asyncDispose]() {
        await harness.end()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function loaded(address: string, pid: string): Loaded {
  const [host, port] = address.split(':')
  return { host: host!, port: Number(port), pid: Number.parseInt(pid, 10) }
}

const libraries = ['-lgssapi_krb5', '-lkrb5', '-lk5crypto']

async function command(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { env, input })
  if (code !== 0) throw new LabError(`${program} ${args.join(' ')}: ${stderr || stdout}`)
  return stdout
}

/** The running program: one line in, one line out. */
class Harness {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static async start(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const harness = new Harness(
      spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    await harness.#answer()
    return harness
  }

  async measure(figure: string, count: number): Promise<number> {
    this.#child.stdin.write(`${count} ${figure}\n`)
    return Number(await this.#answer())
  }

  async end(): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
  }

  async #answer(): Promise<string> {
    const { done, value } = await this.#lines.next()
    if (done) throw new LabError('mit.c ended; what it said stands above')
    return value
  }
}

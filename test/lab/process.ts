/** Other people's programs, each with a hard end. */
import { type ChildProcess, spawn } from 'node:child_process'

/** What went wrong in the lab itself, never in the library under test. */
export class LabError extends Error {
  override readonly name = 'LabError'
}

/** How a program is run. */
export interface RunOptions {
  /** Added to the environment of the tests, from which every KRB5 and GSS variable of the developer's own is taken out. */
  readonly env?: Readonly<Record<string, string>>
  /** Its standard input; empty unless given. */
  readonly input?: string | Uint8Array
  /** Milliseconds until it is killed with all it started; 20,000 unless given. */
  readonly timeout?: number
}

/** How a program ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever its status. Throws LabError if it cannot be started, is killed or takes too long. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { env = {}, input = '', timeout = 20_000 } = options
  // Detached, hence the leader of a group of its own: the group can be killed as a whole.
  const child = spawn(command, args, { env: { ...foreignEnvironment(), ...env }, detached: true })
  living.add(child)
  let late = false
  const timer = setTimeout(() => {
    late = true
    killGroup(child)
  }, timeout)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (data: Buffer) => stdout.push(data))
  child.stderr.on('data', (data: Buffer) => stderr.push(data))
  child.stdin.on('error', () => {}) // a program that does not read its input to the end
  child.stdin.end(input)
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve([code, signal]))
  })
  try {
    const [code, signal] = await ended
    const said = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
    if (code !== null && !late) return { code, ...said }
    const reason = late ? `did not end within ${timeout} ms` : `was ended by ${signal}`
    throw new LabError(`${command} ${args.join(' ')}: ${reason}\n${said.stdout}${said.stderr}`)
  } finally {
    clearTimeout(timer)
    living.delete(child)
  }
}

const living = new Set<ChildProcess>()
process.on('exit', () => living.forEach(killGroup))

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // the group ended by itself
  }
}

function foreignEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(KRB5|GSS|LAB_)/.test(name))
  return { ...Object.fromEntries(own), LC_ALL: 'C.UTF-8' }
}

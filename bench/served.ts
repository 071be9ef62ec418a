/** A server of ours under load, in a process of its own that tells its port and what memory it has in use. @module */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Such a server. Disposing of it ends the process. */
export class Served implements AsyncDisposable {
  readonly port: number
  readonly pid: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    this.pid = child.pid!
  }

  /** Starts the module at `url`; `task` is the first message to it, `profile` a folder for its CPU profile. */
  static async start(url: string, { task, profile }: { task?: object; profile?: string | undefined }): Promise<Served> {
    const child = fork(fileURLToPath(url), {
      execArgv: ['--expose-gc', ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])],
    })
    if (task) child.send(task)
    const [port] = await once(child, 'message')
    return new Served(child, port as number)
  }

  /** Octets in use once what is not has been collected. */
  async used(): Promise<number> {
    const answer = once(this.#child, 'message')
    this.#child.send('used')
    return (await answer)[0] as number
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    if (this.#child.exitCode === null) await ended
  }
}

/** What a server's process answers when it is asked what it has in use (it is started with --expose-gc). */
export function octetsInUse(): number {
  globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

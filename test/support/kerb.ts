import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lab, run, scratch } from '../lab/index.ts'
import type { Ended, RunOptions } from '../lab/process.ts'

const program = join(import.meta.dirname, '../../dist/cli/main.js')

/** Runs `kerb ARGS` as a user would, from the built package. */
export const kerb = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  run(process.execPath, [program, ...args], options)

/** A long-lived `kerb ARGS`, ended with the test; resolves once its output matches `ready`. */
export const kerbDaemon = (args: readonly string[], ready: RegExp, env: Readonly<Record<string, string>> = {}) =>
  nodeDaemon(program, args, ready, env)

/** As {@link kerbDaemon}, of another program for Node. */
export async function nodeDaemon(
  file: string,
  args: readonly string[],
  ready: RegExp,
  env: Readonly<Record<string, string>>,
) {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let output = ''
  const started = new Promise<string>((resolve, reject) => {
    const hear = (data: Buffer) => {
      output += data
      if (ready.test(output)) resolve(output)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('exit', (code) => reject(new TypeError(`${file} ${args.join(' ')} ended with ${code}: ${output}`)))
  })
  return {
    output: await started,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill()
      await ended
    },
  }
}

/** An environment with a credential cache of its own, for MIT's tools and ours alike. */
export function freshEnv(base: Readonly<Record<string, string>> = lab.mit.env): Record<string, string> {
  return { ...base, KRB5CCNAME: `FILE:${join(scratch(), 'cc')}` }
}

/** The lab's krb5.conf with changes. */
export function changedConfig(change: (text: string) => string, base: Readonly<Record<string, string>> = lab.mit.env) {
  const path = join(scratch(), 'krb5.conf')
  writeFileSync(path, change(readFileSync(base['KRB5_CONFIG']!, 'utf8')))
  return { ...freshEnv(base), KRB5_CONFIG: path }
}

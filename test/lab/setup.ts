/** Before the interop tests: installs what is missing where it may, starts the peers, and has them stopped when the run ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type Absent, absentPeers, canInstall, install, type PeerName } from './peers.ts'
import { type Apache, type Echo, type Kdc, startApache, startEcho, startMit } from './start.ts'

/** What the tests are told: plain values, as they cross from one process to another. */
export interface Provided {
  /** The run's folder: everything in it is gone after the run. */
  readonly root: string
  readonly absent: Absent
  readonly mit?: Kdc
  readonly apache?: Apache
  readonly echo?: Echo
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly lab: Provided
  }
}

/** Vitest's globalSetup; what it returns is the teardown. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const absent = await installed()
  const root = await mkdtemp(join(tmpdir(), 'kerb-lab-'))
  await chmod(root, 0o711) // daemons that drop root pass through it
  const keeper = spawn('bash', [join(import.meta.dirname, 'keeper.sh'), root], {
    detached: true, // out of reach of the terminal's Ctrl-C
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const mit = await started('mit', () => startMit(root))
  const [apache, echo] = await Promise.all([
    started('apache', () => mit && startApache(root, mit)),
    started('gssapi', () => mit && startEcho(root, mit)),
  ])
  project.provide('lab', { root, absent, ...(mit && { mit }), ...(apache && { apache }), ...(echo && { echo }) })
  return async () => {
    const ended = once(keeper, 'exit')
    keeper.stdin.end()
    await ended
  }

  /** The peer, unless it is absent or does not come up: then the reason is kept for the tests that need it. */
  async function started<T>(name: PeerName, start: () => Promise<T> | undefined): Promise<T | undefined> {
    if (absent[name]) return undefined
    try {
      const peer = await start()
      if (!peer) absent[name] = 'it needs the KDC of MIT'
      return peer
    } catch (error) {
      absent[name] = `it did not start: ${error instanceof Error ? error.message : error}`
      return undefined
    }
  }
}

/** What is absent after all that may be installed is. */
async function installed(): Promise<Absent> {
  const absent = absentPeers()
  const names = Object.keys(absent)
  if (names.length === 0 || !canInstall()) return absent
  console.log(`lab: installs Debian packages for ${names.join(', ')} (a minute or two, once)`)
  try {
    await install(absent)
  } catch (error) {
    console.error(`lab: ${error instanceof Error ? error.message : error}`)
  }
  return absentPeers()
}

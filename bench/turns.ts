/** Rounds of kerb and of its peers in turns, so that whatever else the machine does meets them alike. @module */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { LabError } from '../test/lab/process.ts'
import { type Description, median, ratioOf, units } from './figure.ts'
import type { Mit } from './mit.ts'
import { usual } from './providers.ts'
import type { Row } from './row.ts'
import type { Assignment, Round } from './subject.ts'

/** How much is measured. */
export interface Effort {
  /** Processes in which what users get is measured: V8's collector of garbage settles differently in each. */
  readonly processes: number
  /** Rounds of a process that count; the figure is the median of all. */
  readonly rounds: number
  /** Rounds before them, in which code is compiled and caches fill. */
  readonly warmUps: number
  /** CPU time of one round of one side, in milliseconds. */
  readonly milliseconds: number
  /** Whether kerb's side runs before everything else for as long as its group says. */
  readonly warm: boolean
}

/** What measures, beside the figures themselves. */
export interface Measuring {
  readonly effort: Effort
  /** Undefined where MIT's library is missing. */
  readonly mit: Mit | undefined
  /** Folder for a CPU profile of the process that is measured; undefined for none. */
  readonly profile: string | undefined
}

/** One side of a figure: gives the nanoseconds of an operation in a round of so many milliseconds. */
type Side = (milliseconds: number) => Promise<number>

/** What was measured of a figure: the rounds of kerb's side, and those of each of the peers called `names`. */
interface Measured {
  readonly figure: Description
  readonly names: readonly string[]
  readonly samples: readonly (readonly number[])[]
}

/** Measures a group of figures, with what users get in several processes, one after another. */
export async function measureGroup(assignment: Assignment, measuring: Measuring): Promise<Row[]> {
  const isUsual = assignment.provider === usual
  let all: readonly Measured[] = []
  const processes = isUsual ? measuring.effort.processes : 1
  for (let run = 0; run < processes; run++) {
    const more = await measureInProcess(assignment, measuring)
    all = more.map((measured, i) => ({
      ...measured,
      samples: measured.samples.map((rounds, side) => [...(all[i]?.samples[side] ?? []), ...rounds]),
    }))
  }
  return all.flatMap(rowsOf).map((row) => (isUsual ? row : { ...row, name: `${row.name} (${assignment.provider})` }))
}

/** The rounds of a group of figures in a process of its own. */
async function measureInProcess(assignment: Assignment, { effort, mit, profile }: Measuring): Promise<Measured[]> {
  const child = fork(fileURLToPath(import.meta.resolve('./subject.js')), {
    execArgv: ['--enable-source-maps', ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])],
  })
  try {
    const ask = conversation(child)
    const figures = (await ask(assignment)) as readonly Description[]
    const entries = figures.map((figure, place) => {
      const ours =
        (peer?: number): Side =>
        async (milliseconds) =>
          (await ask({ figure: place, peer, milliseconds } satisfies Round)) as number
      const theirs = figure.peers.map((peer, i) => {
        if ('name' in peer) return { name: peer.name, side: ours(i) }
        return { name: mit?.name ?? '', side: mit && timed(mit, peer.mit) }
      })
      const sides = [ours(), ...theirs.map(({ side }) => side)]
      return { figure, sides, names: theirs.map(({ name }) => name), samples: sides.map((): number[] => []) }
    })
    if (effort.warm) for (const { sides, figure } of entries) await sides[0]!(figure.warmUp)
    for (let round = -effort.warmUps; round < effort.rounds; round++)
      for (const { sides, samples } of entries)
        for (const [side, measure] of sides.entries()) {
          const nanoseconds = await measure?.(effort.milliseconds)
          if (round >= 0 && nanoseconds !== undefined) samples[side]!.push(nanoseconds)
        }
    return entries
  } finally {
    if (child.connected) child.disconnect()
    if (child.exitCode === null) await once(child, 'exit')
  }
}

function rowsOf({ figure, names, samples }: Measured): Row[] {
  const { name, unit, octets } = figure
  const [ours, ...theirs] = samples
  const told = (nanoseconds: readonly number[]) => units[unit](median(nanoseconds), octets)
  const kerb = told(ours!)
  const alone: Row = { name, unit, kerb, peer: null, peerName: '', ratio: null }
  const beside = theirs.map(
    (nanoseconds, i): Row =>
      nanoseconds.length === 0
        ? alone
        : { name, unit, kerb, peer: told(nanoseconds), peerName: names[i]!, ratio: ratioOf(nanoseconds, ours!) },
  )
  return beside.length > 0 ? beside : [alone]
}

/** MIT's side, whose program is told how often, not how long. */
function timed(mit: Mit, figure: string): Side {
  let each: number | undefined
  return async (milliseconds) => {
    each ??= await mit.measure(figure, 1)
    each = await mit.measure(figure, Math.max(1, Math.round((milliseconds * 1e6) / each)))
    return each
  }
}

/** A way to send `child` a message and have the one that comes back. It rejects when the process ends instead. */
function conversation(child: ChildProcess): (message: Assignment | Round) => Promise<unknown> {
  const ended = once(child, 'exit').then(() => {
    throw new LabError('the measured process ended; why stands above')
  })
  ended.catch(() => {}) // in the end it does end
  return async (message) => {
    const answer = once(child, 'message')
    child.send(message)
    return (await Promise.race([answer, ended]))[0]
  }
}

/** The process in which one group of figures is measured with one provider: nobody else's work slows its code down. @module */
import { Bench } from 'tinybench'
import { type Description, type Figure, type Subject, WARM_UP, type Work } from './figure.ts'
import { groups } from './groups/index.ts'

/** What this process is to measure: first of all messages to it. */
export interface Assignment extends Subject {
  /** The name of one of {@link groups}. */
  readonly group: string
}

/** A round to run: the answer is the nanoseconds of CPU time that one operation took. */
export interface Round {
  /** Place of the figure in its group. */
  readonly figure: number
  /** Place of the peer among those of the figure; undefined for kerb itself. */
  readonly peer: number | undefined
  /** Milliseconds of CPU time to spend. */
  readonly milliseconds: number
}

/** CPU time of this process with all its threads, hence compiler and garbage collector, in milliseconds. */
const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e3
}

/** Milliseconds that one sample should take: its clock costs a microsecond. */
const SAMPLE = 2
/** Most operations of a sample, as what {@link Work.prepare} makes is held in memory. */
const LARGEST_SAMPLE = 4096

/** Work, and how many times of it make a sample. */
class Sampled {
  readonly #work: Work
  #count = 1

  constructor(work: Work) {
    this.#work = work
  }

  /** Nanoseconds of CPU time that one operation takes: the mean, as collecting garbage is part of the work. */
  async round(milliseconds: number): Promise<number> {
    const work = this.#work
    const count = this.#count
    const bench = new Bench({ now: cpu, time: milliseconds, iterations: 1, warmup: false, throws: true })
    const hooks = work.prepare && { beforeEach: () => work.prepare!(count) }
    bench.add('round', () => work.run(count), { ...hooks, async: true })
    const [task] = await bench.run()
    const { result } = task!
    if (!('latency' in result)) throw new TypeError(`the round was left ${result.state}`)
    const each = result.latency.mean / count
    this.#count = Math.max(1, Math.min(LARGEST_SAMPLE, Math.round(SAMPLE / each)))
    return each * 1e6
  }
}

/** Makes the figures, tells the parent which, and then answers each {@link Round} with its nanoseconds. */
async function serve({ group, ...subject }: Assignment, answer: (message: unknown) => void): Promise<void> {
  const figures = await groups.find(({ name }) => name === group)!.figures(subject)
  const works = figures.map(({ work, peers }) => ({
    ours: new Sampled(work),
    theirs: peers.map((peer) => ('work' in peer ? new Sampled(peer.work) : undefined)),
  }))
  process.on('message', ({ figure, peer, milliseconds }: Round) => {
    const { ours, theirs } = works[figure]!
    const side = peer === undefined ? ours : theirs[peer]!
    void side.round(milliseconds).then(answer)
  })
  answer(figures.map(described))
}

/** A figure without its functions, which cannot leave the process. */
const described = ({ name, unit, octets = 1, warmUp = WARM_UP, peers }: Figure): Description => ({
  name,
  unit,
  octets,
  warmUp,
  peers: peers.map((peer) => ('mit' in peer ? peer : { name: peer.name })),
})

process.once('message', (assignment: Assignment) => void serve(assignment, (message) => process.send!(message)))

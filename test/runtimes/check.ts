/** As much of Vitest as portable tests need, for runtimes that Vitest does not run in. It stands in for the module `vitest`. */

/** One test that did not come out as it should. */
export interface Failure {
  readonly test: string
  readonly why: string
}

type Body = (...values: never[]) => unknown
type Suite = (...values: never[]) => void

/** A test that waits to be run. */
interface Waiting {
  readonly name: string
  readonly body: () => unknown
}

const waiting: Waiting[] = []
const path: string[] = []

/** Runs all tests that were described; gives how many there were and what failed. */
export async function runAll(): Promise<{ readonly tests: number; readonly failures: readonly Failure[] }> {
  const failures: Failure[] = []
  for (const { name, body } of waiting)
    try {
      await body()
    } catch (error) {
      failures.push({ test: name, why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
    }
  return { tests: waiting.length, failures }
}

const spread = (row: unknown): never[] => (Array.isArray(row) ? row : [row]) as never[]

/** Vitest's `test`, with `each`. */
export const test = Object.assign(
  (name: string, body: () => unknown) => void waiting.push({ name: [...path, name].join(' > '), body }),
  {
    each: (rows: readonly unknown[]) => (name: string, body: Body) => {
      for (const [i, row] of rows.entries()) test(`${name} (${i})`, () => body(...spread(row)))
    },
  },
)

/** Vitest's `describe`, with `each`. */
export const describe = Object.assign(
  (name: string, suite: () => void) => {
    path.push(name)
    suite()
    path.pop()
  },
  {
    each: (rows: readonly unknown[]) => (name: string, suite: Suite) => {
      for (const [i, row] of rows.entries()) describe(`${name} (${i})`, () => suite(...spread(row)))
    },
  },
)

/** Vitest's `expect`, with the comparisons that the portable tests make. */
export const expect = (actual: unknown) => ({
  toBe: (expected: unknown) => hold(Object.is(actual, expected), `${actual} is not ${expected}`),
  toEqual: (expected: unknown) =>
    hold(shown(actual) === shown(expected), `${shown(actual)} does not equal ${shown(expected)}`),
  toBeGreaterThan: (least: number) => hold((actual as number) > least, `${actual} is not greater than ${least}`),
  toMatch: (pattern: RegExp) => hold(pattern.test(String(actual)), `${actual} does not match ${pattern}`),
  toContain: (part: unknown) => hold((actual as unknown[]).includes(part), `${actual} does not contain ${part}`),
})

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? [...part] : part))

function hold(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise)
}

import type { Principal } from '../krb5/names.ts'

interface Step<T> {
  value: T | undefined
  readonly next: Map<string, Step<T>>
}

/** Values by principal, found component by component: writing the name out, to look that up, costs more than all else. */
export class PrincipalMap<T> {
  readonly #root: Step<T> = { value: undefined, next: new Map() }

  /** What was set of that name in that realm; undefined for nothing. */
  get({ components, realm }: Principal): T | undefined {
    let step = this.#root.next.get(realm)
    for (let i = 0; step && i < components.length; i++) step = step.next.get(components[i]!)
    return step?.value
  }

  /** Puts `value` in place of what was there. */
  set({ components, realm }: Principal, value: T): void {
    let step = this.#root
    for (const name of [realm, ...components]) {
      const next: Step<T> = step.next.get(name) ?? { value: undefined, next: new Map() }
      step.next.set(name, next)
      step = next
    }
    step.value = value
  }

  /** Puts `value` in place of `old`, under all of its names. */
  replace(old: T, value: T, { next }: Step<T> = this.#root): void {
    for (const step of next.values()) {
      if (step.value === old) step.value = value
      this.replace(old, value, step)
    }
  }
}

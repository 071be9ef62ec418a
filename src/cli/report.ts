/** Says on standard error why a command failed, the causes with it where they say more, and sets the exit code to 1. */
export function report(error: unknown): void {
  process.exitCode = 1
  const said = new Set<string>()
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const known = [...said].some((text) => text.includes(messageOf(cause as Error)))
    if (!known) process.stderr.write(`${said.size === 0 ? 'kerb: ' : '  because: '}${messageOf(cause)}\n`)
    said.add(messageOf(cause))
  }
  if (said.size === 0) process.stderr.write(`kerb: ${String(error)}\n`)
}

const messageOf = ({ message, name }: Error): string => message || name

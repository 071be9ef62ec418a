import { createInterface } from 'node:readline'

/** What a terminal sends for keys that end or change a line. */
const keys = { enter: /[\r\n]/, backspace: /[\b\x7f]/, interrupt: '\x03', end: '\x04', clear: '\x15' } as const

/** The prompt was left without an answer: Ctrl-C, Ctrl-D, or the end of the input. */
export class PromptError extends Error {
  override readonly name = 'PromptError'
}

/**
 * Asks for a secret: on a terminal without echo, which is put back on every way out; from anything else the first line.
 * Throws {@link PromptError}.
 */
export async function promptSecret(
  text: string,
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string> {
  if (!input.isTTY) return firstLine(input)
  output.write(text)
  input.setRawMode(true)
  input.setEncoding('utf8')
  try {
    return await typedLine(input)
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

/**
 * What asks for one secret after the other: on a terminal as {@link promptSecret}, from anything else a line each. Throws
 * {@link PromptError}.
 */
export function secretPrompter(input: NodeJS.ReadStream = process.stdin): (text: string) => Promise<string> {
  let lines: AsyncIterator<string> | undefined
  return async (text) => {
    if (input.isTTY) return promptSecret(text, input)
    lines ??= createInterface({ input, terminal: false })[Symbol.asyncIterator]()
    const { done, value } = await lines.next()
    if (done) throw new PromptError('the input ended before the answer')
    return value
  }
}

/** The first line of `input`, without its end. Throws {@link PromptError} when there is none. */
export async function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input, terminal: false })
  for await (const line of lines) {
    lines.close()
    return line
  }
  throw new PromptError('the input ended before the answer')
}

/** What is typed until Enter, with the habits of a terminal's own line. */
function typedLine(input: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = ''
    const end = (settle: () => void) => {
      input.off('data', hear)
      input.off('end', leave)
      settle()
    }
    const leave = () => end(() => reject(new PromptError('no answer was given')))
    const hear = (typed: string | Buffer) => {
      for (const key of String(typed)) {
        if (keys.enter.test(key)) return end(() => resolve(line))
        if (key === keys.interrupt || (key === keys.end && line === '')) return leave()
        if (keys.backspace.test(key)) line = [...line].slice(0, -1).join('')
        else if (key === keys.clear) line = ''
        else if (key >= ' ') line += key
      }
    }
    input.on('data', hear)
    input.on('end', leave)
  })
}

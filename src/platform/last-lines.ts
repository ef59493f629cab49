import { open } from 'node:fs/promises'

/** Of each file: thousands of lines, and no more memory than a board has to spare. */
const mostBytes = 2_000_000

/** Last lines of files that follow each other; those that are not there count as empty. */
export async function lastLines(paths: readonly string[], lines: number): Promise<string> {
  const texts: string[] = []
  for (const path of paths) texts.push(await endOf(path))
  const all = texts.join('').split('\n')
  if (all.at(-1) === '') all.pop()
  return all.slice(-lines).join('\n')
}

async function endOf(path: string): Promise<string> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - mostBytes)
    const bytes = Buffer.alloc(size - from)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
    const text = bytes.toString('utf8', 0, bytesRead)
    // The first line may begin in the middle.
    return from > 0 ? text.slice(text.indexOf('\n') + 1) : text
  } finally {
    await file.close()
  }
}

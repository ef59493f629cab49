/** The mount a path is on. */
export interface Mount {
  readonly point: string
  readonly noexec: boolean
}

/**
 * The mount that holds a path: the deepest one, and of several at one place the last, which hides the others.
 * @param lines of /proc/mounts without the device: `POINT TYPE OPTIONS`, in their order; spaces in names are `\040` there
 */
export function mountOf(path: string, lines: readonly string[]): Mount | null {
  let found: Mount | null = null
  for (const line of lines) {
    const [rawPoint = '', , options = ''] = line.split(' ')
    const point = rawPoint.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    const holds = point === '/' || path === point || path.startsWith(`${point}/`)
    if (holds && point !== '' && point.length >= (found?.point.length ?? 0))
      found = { point, noexec: options.split(',').includes('noexec') }
  }
  return found
}

/**
 * Small files a Linux system describes itself in (/proc, /sys), wherever they come from: read in place, under a made-up root in tests, or
 * printed by a script on a device. Names and texts are a stranger's.
 */
export interface SystemFiles {
  /** Text without NUL characters and surrounding white space; undefined where there is no such file or no right to read it. */
  read(path: string): string | undefined
  /** Names in a folder in natural order (`hwmon2` before `hwmon10`); none where there is no such folder. */
  list(folder: string): readonly string[]
}

/** A file that holds one decimal number, perhaps followed by a unit; undefined where there is none. */
export function readNumber(files: SystemFiles, path: string): number | undefined {
  const found = /^-?\d{1,15}(?:\.\d{1,9})?(?=\s|$)/.exec(files.read(path) ?? '')
  return found ? Number(found[0]) : undefined
}

/** No folder of /sys that is looked into has as many entries of interest. */
const MOST_ENTRIES = 512

/** Full paths of a folder's entries that match, at most 512. */
export function listPaths(files: SystemFiles, folder: string, pattern: RegExp): string[] {
  return files
    .list(folder)
    .filter((name) => pattern.test(name))
    .slice(0, MOST_ENTRIES)
    .map((name) => `${folder}/${name}`)
}

/** Files whose texts were read before, for example on a device. Later texts of a path replace earlier ones. */
export class KeptFiles implements SystemFiles {
  readonly #texts = new Map<string, string>()
  readonly #names = new Map<string, Set<string>>()

  /** Bounded by who calls: each call keeps one text. */
  set(path: string, text: string): void {
    this.#texts.set(path, text.replaceAll('\0', '').trim())
    for (let child = path; ; ) {
      const slash = child.lastIndexOf('/')
      if (slash <= 0) return
      const folder = child.slice(0, slash)
      const names = this.#names.get(folder)
      if (names) {
        names.add(child.slice(slash + 1))
        return
      }
      this.#names.set(folder, new Set([child.slice(slash + 1)]))
      child = folder
    }
  }

  get size(): number {
    return this.#texts.size
  }

  read(path: string): string | undefined {
    return this.#texts.get(path)
  }

  list(folder: string): readonly string[] {
    return [...(this.#names.get(folder) ?? [])].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  }
}

/** JetPack that a release of Jetson Linux (L4T) belongs to; source: NVIDIA's JetPack and Jetson Linux archives (developer.nvidia.com/embedded). */
const JETPACK_OF_L4T: Readonly<Record<string, string>> = {
  '38.2.2': '7.0',
  '38.2.1': '7.0',
  '38.2.0': '7.0',
  '36.4.7': '6.2.1',
  '36.4.4': '6.2.1',
  '36.4.3': '6.2',
  '36.4.2': '6.1',
  '36.4.0': '6.1',
  '36.3.0': '6.0',
  '36.2.0': '6.0 DP',
  '35.6.2': '5.1.5',
  '35.6.1': '5.1.5',
  '35.6.0': '5.1.4',
  '35.5.0': '5.1.3',
  '35.4.1': '5.1.2',
  '35.3.1': '5.1.1',
  '35.2.1': '5.1',
  '35.1.0': '5.0.2',
  '34.1.1': '5.0.1 DP',
  '34.1.0': '5.0 DP',
  '32.7.6': '4.6.6',
  '32.7.5': '4.6.5',
  '32.7.4': '4.6.4',
  '32.7.3': '4.6.3',
  '32.7.2': '4.6.2',
  '32.7.1': '4.6.1',
  '32.6.1': '4.6',
  '32.5.2': '4.5.1',
  '32.5.1': '4.5.1',
  '32.5.0': '4.5',
  '32.4.4': '4.4.1',
  '32.4.3': '4.4',
  '32.3.1': '4.3',
  '32.2.3': '4.2.3',
  '32.2.1': '4.2.2',
  '32.2.0': '4.2.1',
  '32.1.0': '4.2',
  '31.1.0': '4.1.1',
  '28.4.0': '3.3.3',
  '28.2.1': '3.3',
  '28.2.0': '3.2',
  '28.1.0': '3.1',
}

/**
 * Version of Jetson Linux in the first line of /etc/nv_tegra_release: `# R36 (release), REVISION: 4.3, GCID: …` → `36.4.3`. Null for anything else.
 */
export function readL4tRelease(line: string): string | null {
  const found = /^#?\s*R(\d{1,3})\s*\(release\),\s*REVISION:\s*(\d{1,3}(?:\.\d{1,3}){0,2})\s*,/.exec(line.slice(0, 300))
  return found ? `${found[1]}.${found[2]}` : null
}

/** What `dpkg-query -W` says of nvidia-l4t-core (`36.4.3-20250107174145`) or nvidia-jetpack (`6.2+b77`), without its build. */
export function packageVersion(text: string): string | null {
  return /^\s*(?:\d+:)?(\d{1,3}(?:\.\d{1,3}){1,3})(?=[-+~\s]|$)/.exec(text)?.[1] ?? null
}

/** JetPack of a release of Jetson Linux; null for one that is not in the table: nothing is guessed. */
export function jetPackOf(l4t: string): string | null {
  // Early releases wrote 32.1 for what the archive calls 32.1.0.
  const key = /^\d+\.\d+$/.test(l4t) ? `${l4t}.0` : l4t
  return Object.hasOwn(JETPACK_OF_L4T, key) ? (JETPACK_OF_L4T[key] as string) : null
}

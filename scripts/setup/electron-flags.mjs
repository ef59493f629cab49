import fs from 'node:fs'

/** Containers often have 64 MB of /dev/shm, where Chromium keeps its bitmaps and crashes when they do not fit. */
const enoughSharedMemory = 256e6

/**
 * Switches without which Electron does not start here.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string[]}
 */
export function electronFlags(env = process.env) {
  if (process.platform !== 'linux') return []
  const flags = []
  // Chromium refuses to run its sandbox as root.
  if (process.getuid?.() === 0) flags.push('--no-sandbox')
  if (fs.existsSync('/dev/shm')) {
    const { bavail, bsize } = fs.statfsSync('/dev/shm')
    if (bavail * bsize < enoughSharedMemory) flags.push('--disable-dev-shm-usage')
  }
  if (!env.DISPLAY && env.WAYLAND_DISPLAY) flags.push('--ozone-platform=wayland')
  return flags
}

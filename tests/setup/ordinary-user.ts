/** The user `nobody` on every system where tests may run as root. */
const nobody = 65_534

/** Runs work with the rights of an ordinary user: root may write everywhere, which would hide what is tested. */
export async function asOrdinaryUser<T>(work: () => T | Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work()
  process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

/** `EMFILE`, `ENOENT` …: the code of a Node.js system error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Frees dead buffers before native code takes memory beside them. V8 does not hurry with them on its own: they count little
 * on its heap. Does nothing where the process was started without `--expose-gc`.
 */
export function freeGarbage(): void {
  globalThis.gc?.()
}
